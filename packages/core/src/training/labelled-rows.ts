import type { Batch } from "../data/batches/collate.ts";
import { ignoredLabel } from "../data/rows/examples.ts";
import { InternalError } from "../errors.ts";
import { type HostTensor, int32 } from "../tensor/host-tensor.ts";

/** The positions of a batch that have a label, in chunks of equal length. */
export interface LabelledRows {
  /** int32 [chunks, 1, rows]: positions in the batch's rows, one row behind the other */
  readonly label_rows: HostTensor;
  /** int32 [chunks, 1, rows] */
  readonly labels: HostTensor;
}

/**
 * Where a batch's tokens have labels, and which, in as few chunks as have no more than `most` of them; chunks are filled
 * up with positions that count for nothing.
 */
export function labelledRows({ labels }: Pick<Batch, "labels">, most: number): LabelledRows {
  if (labels?.dtype !== "int32") throw new InternalError("a language model's batch needs the labels of its tokens");
  const positions = Array.from(labels.data.keys()).filter((position) => labels.data[position] !== ignoredLabel);
  const chunks = Math.max(1, Math.ceil(positions.length / most));
  const rows = Math.max(1, Math.ceil(positions.length / chunks));
  const [places, found] = [new Int32Array(chunks * rows), new Int32Array(chunks * rows).fill(ignoredLabel)];
  places.set(positions);
  found.set(positions.map((position) => labels.data[position] ?? ignoredLabel));
  return { label_rows: int32([chunks, 1, rows], places), labels: int32([chunks, 1, rows], found) };
}
