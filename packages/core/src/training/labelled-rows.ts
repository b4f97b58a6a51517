import type { Batch } from "../data/batches/collate.ts";
import { ignoredLabel } from "../data/rows/examples.ts";
import { InternalError } from "../errors.ts";
import { type HostTensor, int32 } from "../tensor/host-tensor.ts";

/** The positions of a batch that have a label, in chunks of equal length. */
interface LabelledRows {
  /** int32 [chunks, 1, rows]: positions in the batch's rows of labels, one row behind the other */
  readonly label_rows: HostTensor;
  /** int32 [chunks, 1, rows] */
  readonly labels: HostTensor;
}

/**
 * Where a batch's tokens have labels, and which, in as few chunks as have no more than `most` of them; chunks are filled
 * up with positions that count for nothing.
 *
 * @param ahead positions in front of each row whose states there are: 1 behind a prompt
 */
export function labelledRows(
  { input_ids, labels }: Pick<Batch, "input_ids" | "labels">,
  most: number,
  ahead = 0,
): LabelledRows {
  if (labels?.dtype !== "int32") throw new InternalError("a language model's batch needs the labels of its tokens");
  const [width = 0, states = 0] = [labels.shape[1], (input_ids.shape[1] ?? 0) + ahead];
  if (width > states) throw new InternalError(`${width} labels a row, but ${states} states`);
  const positions = Array.from(labels.data.keys()).filter((position) => labels.data[position] !== ignoredLabel);
  const chunks = Math.max(1, Math.ceil(positions.length / most));
  const rows = Math.max(1, Math.ceil(positions.length / chunks));
  const [places, found] = [new Int32Array(chunks * rows), new Int32Array(chunks * rows).fill(ignoredLabel)];
  places.set(positions.map((position) => Math.floor(position / width) * states + (position % width) + states - width));
  found.set(positions.map((position) => labels.data[position] ?? ignoredLabel));
  return { label_rows: int32([chunks, 1, rows], places), labels: int32([chunks, 1, rows], found) };
}
