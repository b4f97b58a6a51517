import { InputError } from "../../errors.ts";
import { random } from "../../tensor/random.ts";

/** Parts examples by chance, at least one on each side; the same seed parts them alike. Both keep the examples' order. */
export function holdOut<T>(
  examples: readonly T[],
  share: number,
  seed: number,
): { readonly kept: readonly T[]; readonly held: readonly T[] } {
  const order = random(seed, "validation share").order(examples.length);
  const chosen = new Set(order.subarray(0, heldCount(examples.length, share, "examples")));
  return { kept: examples.filter((_, i) => !chosen.has(i)), held: examples.filter((_, i) => chosen.has(i)) };
}

/** Rows of running text that are held out or kept together: neighbours tell much of each other. */
const blockRows = 32;

/** Parts the rows of running text by whole blocks of neighbours, at least one on each side; places ascend in both. */
export function holdOutBlocks(
  rows: number,
  share: number,
  seed: number,
): { readonly kept: Uint32Array; readonly held: Uint32Array } {
  const size = Math.max(1, Math.min(blockRows, Math.floor(rows * share)));
  const blocks = Math.ceil(rows / size);
  const order = random(seed, "held-out blocks").order(blocks);
  const chosen = new Set(order.subarray(0, heldCount(blocks, share, "blocks of rows")));
  const places = new Uint32Array(rows).map((_, row) => row);
  const isHeld = (row: number) => chosen.has(Math.floor(row / size));
  return { kept: places.filter((row) => !isHeld(row)), held: places.filter(isHeld) };
}

function heldCount(length: number, share: number, what: string): number {
  const count = Math.max(1, Math.round(length * share));
  if (count < length) return count;
  throw new InputError(`cannot hold out ${share} of ${length} ${what}; both parts need at least one`);
}
