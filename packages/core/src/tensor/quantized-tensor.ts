import type { BlockFormat } from "./block-format.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/**
 * A frozen matrix that a file holds in blocks: w = (q − z) s, with z and s of the weight's block. What is cut into blocks
 * are the rows of [out, in], whichever way round the base keeps the matrix.
 */
export interface QuantizedTensor extends BlockFormat {
  readonly name: string;
  readonly file: string;
  /** as the base has it */
  readonly shape: readonly number[];
  /** whether that is [in, out], the transpose of what the file holds */
  readonly transposed: boolean;
  /** q: uint8 [rows, blocks, bytes of a block]; of 4 bits two lie in a byte, the first in its lower half */
  readonly packed: StoredTensor;
  /** s: float32 [rows, blocks] */
  readonly scales: StoredTensor;
  /** z: uint8 [rows, bytes of a row's zero points], packed as q is */
  readonly zeroPoints: StoredTensor;
}

/** A tensor of a checkpoint, as it is or quantised. */
export type BaseTensor = StoredTensor | QuantizedTensor;

export const isQuantized = (tensor: BaseTensor): tensor is QuantizedTensor => "packed" in tensor;
