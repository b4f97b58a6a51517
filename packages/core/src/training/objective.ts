import type { Batch } from "../data/collate.ts";
import { add } from "../graph/ops/add.ts";
import { mul } from "../graph/ops/mul.ts";
import { input, scalar, type Value } from "../graph/value.ts";
import { isLanguageModel } from "../nn/model.ts";
import type { AdaptedModel, Forward, Noise } from "../peft/adapt.ts";
import type { Tensors } from "../runtime/session.ts";
import { batchDim } from "../tensor/shape.ts";
import { summedDistance } from "./distillation.ts";
import { labelledRows } from "./labelled-rows.ts";
import { labelsInput, summedLoss } from "./losses.ts";

/** What is minimised: an adapted model's forward graph with its task's loss on top. */
export interface Objective extends Forward {
  /** summed over the batch's items, a scalar */
  readonly loss: Value;
  /** the items' labels as {@link feed} gives them */
  readonly labels: Value;
  /** the mean distance of the taught vectors to the teacher's, summed over the batch's rows; undefined without a teacher */
  readonly teacherLoss: Value | undefined;
  /** The tensors of a batch that the graph reads. */
  feed(batch: Batch): Tensors;
}

/**
 * The loss of a task. A language model's logits are computed only at the positions with a label, [1, items, vocabulary]:
 * the output layer is its largest product, and masked LMs have labels at about one position in seven.
 */
export function objective(
  adapted: AdaptedModel,
  { noise, labelSmoothing = 0 }: { readonly noise?: Noise; readonly labelSmoothing?: number } = {},
): Objective {
  const { task } = adapted.goal;
  const sparse = isLanguageModel(task);
  const forward = adapted.forward({ noise, rows: sparse ? input("label_rows", "int32", ["items"]) : undefined });
  const { taught } = forward;
  const labels = sparse ? input("labels", "int32", [1, "items"]) : labelsInput(task);
  return {
    ...forward,
    labels,
    loss: summedLoss(task, forward.logits, labels, labelSmoothing),
    teacherLoss: adapted.goal.teacher && meanDistance(taught, adapted.goal.teacher.size),
    feed({ items: _, ...tensors }) {
      return sparse ? { ...tensors, ...labelledRows(tensors) } : tensors;
    },
  };
}

function meanDistance(taught: readonly Value[], size: number): Value {
  const teacher = input("teacher", "float32", [batchDim, size]);
  const sum = taught.map((vector) => summedDistance(vector, teacher)).reduce((all, each) => add(all, each));
  return mul(sum, scalar(1 / taught.length));
}
