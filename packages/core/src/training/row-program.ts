import { collate } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { InternalError } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import { type Pooling, pool } from "../nn/pooling.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { Forward } from "../peft/forward.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import type { Engine, Tensors } from "../runtime/session.ts";
import type { Lender } from "../tensor/lender.ts";
import { compileForward } from "./long-rows.ts";

/** What the model says of one row. */
export interface Prediction {
  /** [classes] for a whole text, [tokens, classes] for its tokens, positions whose mask is 0 left out */
  readonly shape: readonly number[];
  readonly logits: Float32Array;
}

/** What is computed of a row: its logits, its last hidden states, one vector of them, [hidden], or what a linear layer reads. */
export type RowOutput = "logits" | "hidden" | Exclude<Pooling, "default"> | InputOf;
type InputOf = `input of ${string}`;

/** What the linear layer of that path reads, [tokens, in]. */
export const inputOf = (path: string): InputOf => `input of ${path}`;

const isInput = (output: RowOutput): output is InputOf => output.startsWith(inputOf(""));

/** A compiled model. Adapters of the same methods, options and goal differ in Φ alone and share it. */
export interface RowProgram {
  /**
   * Computes rows side by side, padded on the right; what becomes of one does not depend on the others. Φ is copied to the
   * engine, or lent to it where it is among the lenders.
   */
  run(phi: Phi, rows: readonly EncodedExample[], lenders?: readonly Lender[]): Promise<readonly Prediction[]>;
  release(): Promise<void>;
}

/** Compiles an adapted model once for any number of batches and for every Φ of its layout. */
export async function compileRows(engine: Engine, adapted: AdaptedModel, output: RowOutput): Promise<RowProgram> {
  const program = await compileForward(engine, adapted, { [output]: outputOf(adapted.forward(), output) });
  return {
    async run(phi, rows, lenders) {
      const { items: _, labels: __, ...batch } = collate(rows, adapted.base.model.sizes.padId);
      return rowsOf(await program.run({ ...tensorsOf(phi), ...batch }, {}, lenders), rows, output);
    },
    release: () => program.release(),
  };
}

/** What is to be computed, out of a model's forward graph. */
export function outputOf({ logits, hidden, inputs, layerInputs }: Forward, output: RowOutput): Value {
  if (output === "logits") return logits;
  if (isInput(output)) {
    const read = layerInputs.get(output.slice(inputOf("").length));
    if (!read) throw new InternalError(`there is no ${output}`);
    return read;
  }
  return output === "hidden" ? hidden : pool(output, hidden, inputs.attentionMask);
}

/** The rows' parts of what was computed of a batch. */
export function rowsOf(computed: Tensors, rows: readonly EncodedExample[], output: RowOutput): readonly Prediction[] {
  const result = computed[output];
  if (result?.dtype !== "float32") throw new InternalError(`the ${output} should be float32`);
  const { data, shape } = result;
  const size = data.length / rows.length;
  return rows.map((row, at) => rowOf(data.subarray(at * size, (at + 1) * size), shape.slice(1), row, output));
}

/** A row's part of a batch without its padding and without the positions that its mask leaves out. */
function rowOf(own: Float32Array, shape: readonly number[], row: EncodedExample, output: RowOutput): Prediction {
  if (shape.length === 1) return { shape, logits: own.slice() };
  if (output !== "logits" && output !== "hidden" && !isInput(output))
    return { shape: shape.slice(1), logits: own.slice() };
  const classes = shape.at(-1) ?? 1;
  const { attentionMask: mask, inputIds } = row;
  const kept = Array.from(inputIds.keys()).filter((token) => mask?.[token] !== 0);
  const logits = new Float32Array(kept.length * classes);
  for (const [at, token] of kept.entries()) {
    logits.set(own.subarray(token * classes, (token + 1) * classes), at * classes);
  }
  return { shape: [kept.length, classes], logits };
}
