import { type EncodedRows, rowsAt } from "./encoded-rows.ts";
import { ignoredLabel } from "./examples.ts";

/**
 * The mean loss of a model that knows only how often each token comes: −ln((count + 1) / Σ (counts + 1)), over the
 * labels of the rows. What a language model must beat to know anything of context.
 */
export async function unigramLoss(counts: Float64Array, rows: EncodedRows): Promise<number> {
  const total = counts.reduce((sum, count) => sum + count + 1, 0);
  let [loss, items] = [0, 0];
  for (let row = 0; row < rows.length; row++) {
    for (const { target } of await rowsAt(rows, [row])) {
      for (const id of target?.kind === "tokens" ? target.ids : []) {
        if (id === ignoredLabel) continue;
        loss -= Math.log(((counts[id] ?? 0) + 1) / total);
        items++;
      }
    }
  }
  return loss / items;
}

/** The counts without those of some rows. */
export async function countsWithout(counts: Float64Array, rows: EncodedRows): Promise<Float64Array> {
  const rest = counts.slice();
  for (let row = 0; row < rows.length; row++) {
    for (const { inputIds } of await rowsAt(rows, [row])) for (const id of inputIds) rest[id] = (rest[id] ?? 0) - 1;
  }
  return rest;
}
