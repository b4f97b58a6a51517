import type { Batch } from "../data/collate.ts";
import { ignoredLabel } from "../data/examples.ts";
import { InternalError } from "../errors.ts";
import { type HostTensor, int32 } from "../tensor/host-tensor.ts";

/** The positions of a batch that have a label. */
export interface LabelledRows {
  /** int32 [items]: positions in the batch's rows, one row behind the other */
  readonly label_rows: HostTensor;
  /** int32 [1, items] */
  readonly labels: HostTensor;
}

/** Where a batch's tokens have labels, and which; one position that counts for nothing where none has. */
export function labelledRows({ labels }: Pick<Batch, "labels">): LabelledRows {
  if (labels?.dtype !== "int32") throw new InternalError("a language model's batch needs the labels of its tokens");
  const rows = Array.from(labels.data.keys()).filter((position) => labels.data[position] !== ignoredLabel);
  if (rows.length === 0) rows.push(0);
  return {
    label_rows: int32([rows.length], Int32Array.from(rows)),
    labels: int32(
      [1, rows.length],
      Int32Array.from(rows, (position) => labels.data[position] ?? ignoredLabel),
    ),
  };
}
