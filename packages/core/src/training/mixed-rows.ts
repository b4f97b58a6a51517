import { collate } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { InternalError } from "../errors.ts";
import { joinedProducts } from "../graph/joined-products.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import type { JoinedKinds } from "../peft/joined.ts";
import type { Engine } from "../runtime/session.ts";
import { compileForward } from "./long-rows.ts";
import { bestRows, rowPhi } from "./row-phi.ts";
import { outputOf, type Prediction, type RowOutput, rowsOf } from "./row-program.ts";

/** A row and the adapter that it asks. */
export interface AskedRow {
  readonly adapter: AdapterNumbers;
  readonly row: EncodedExample;
}

/** A compiled model whose rows are each computed with an adapter of their own. */
export interface MixedRowProgram {
  /** Computes rows side by side, as many as there is room for; what becomes of one does not depend on the others or on their adapters. */
  run(rows: readonly AskedRow[]): Promise<readonly Prediction[]>;
  release(): Promise<void>;
}

/**
 * Compiles joined kinds of adapters. Φ's tensors are fed as [rows, …]: y = W x + B[row] (A[row] x) for LoRA. Rows stand where
 * the batch before left their adapters' numbers. Logits are cut to the labels of each row's own head.
 * @param most rows that are computed side by side
 */
export async function compileMixedRows(
  engine: Engine,
  joined: JoinedKinds,
  output: RowOutput,
  most: number,
): Promise<MixedRowProgram> {
  const { base, forward } = joined.adapted;
  const { values, joined: inputs } = joinedProducts([outputOf(forward({ mixed: "rows" }), output)]);
  const phi = await rowPhi(engine, joined, inputs, most);
  const outputs = Object.fromEntries(values.map((value) => [output, value]));
  const program = await compileForward(engine, joined.adapted, outputs).catch(async (error: unknown) => {
    await phi.release();
    throw error;
  });
  const labelsOf = ({ adapted }: AdapterNumbers) => (output === "logits" ? joined.labelsOf(adapted) : undefined);
  return {
    async run(asked) {
      const at = bestRows(
        phi.held(),
        asked.map(({ adapter }) => adapter),
      );
      const placed = at.map((place, i) => [place, asked[i]] as const).sort(([a], [b]) => a - b);
      const inOrder = placed.flatMap(([, each]) => each ?? []);
      const rows = inOrder.map(({ row }) => row);
      const { items: _, labels: __, ...batch } = collate(rows, base.model.sizes.padId);
      const { arrived } = await phi.put(inOrder.map(({ adapter }) => adapter));
      const ran = program.run({ ...phi.tensors(rows.length), ...batch });
      const [computed] = await Promise.all([ran, arrived]);
      const found = rowsOf(computed, rows, output);
      return asked.flatMap(({ adapter }, i) => {
        const prediction = found[at[i] ?? -1];
        return prediction ? cut(prediction, labelsOf(adapter)) : [];
      });
    },
    async release() {
      await program.release();
      await phi.release();
    },
  };
}

/** The first so many of each position's numbers.  [..., all] -> [..., count] */
function cut(prediction: Prediction, count: number | undefined): Prediction {
  const { shape, logits } = prediction;
  const all = shape.at(-1) ?? 1;
  if (count === undefined || count === all) return prediction;
  if (count > all) throw new InternalError(`a head of ${count} labels does not fit into ${all}`);
  const positions = logits.length / all;
  const kept = new Float32Array(positions * count);
  for (let at = 0; at < positions; at++) kept.set(logits.subarray(at * all, at * all + count), at * count);
  return { shape: [...shape.slice(0, -1), count], logits: kept };
}
