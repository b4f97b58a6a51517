import { add } from "../graph/ops/add.ts";
import { cast } from "../graph/ops/cast.ts";
import { gatherElements } from "../graph/ops/gather-elements.ts";
import { greater } from "../graph/ops/greater.ts";
import { logSoftmax } from "../graph/ops/log-softmax.ts";
import { mul } from "../graph/ops/mul.ts";
import { neg } from "../graph/ops/neg.ts";
import { not } from "../graph/ops/not.ts";
import { reduceMean } from "../graph/ops/reduce-mean.ts";
import { reduceSum } from "../graph/ops/reduce-sum.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { sub } from "../graph/ops/sub.ts";
import { where } from "../graph/ops/where.ts";
import { input, scalar, type Value } from "../graph/value.ts";
import type { Task } from "../nn/model.ts";
import { batchDim, tokensDim } from "../tensor/shape.ts";

/** The labels that a task's batches bring: int32 [batch], float32 [batch] or int32 [batch, tokens]. */
export function labelsInput(task: Task): Value {
  if (task === "regression") return input("labels", "float32", [batchDim]);
  return input("labels", "int32", task === "classification" ? [batchDim] : [batchDim, tokensDim]);
}

/**
 * The task's loss summed over a batch's items (rows, or tokens with a label):
 * - regression: Σ (ŷ − y)², logits: [batch, 1]
 * - the others: cross-entropy, Σ −ln softmax(logits)[label], logits: [..., classes]; labels below 0 count for nothing.
 *   With label smoothing ε: (1 − ε) times that plus ε times the mean over all classes (Szegedy et al. 2015,
 *   arXiv:1512.00567, section 7).
 */
export function summedLoss(task: Task, logits: Value, labels: Value, labelSmoothing: number): Value {
  if (task === "regression") {
    const difference = sub(reshape(logits, labels.shape), labels);
    return total(mul(difference, difference));
  }
  const [none, first] = [scalar(-1, "int32"), scalar(0, "int32")];
  const counts = greater(labels, none);
  const logs = logSoftmax(logits);
  const picked = gatherElements(logs, reshape(where(counts, labels, first), [...labels.shape, 1]));
  const loss = labelSmoothing === 0 ? neg(picked) : smoothed(picked, logs, labelSmoothing);
  return total(mul(reshape(loss, labels.shape), cast(counts, "float32")));
}

/** How many of the items' labels no other class is likelier than, a scalar; labels below 0 count for nothing. */
export function rightAnswers(logits: Value, labels: Value): Value {
  const [none, first] = [scalar(-1, "int32"), scalar(0, "int32")];
  const counts = greater(labels, none);
  const picked = gatherElements(logits, reshape(where(counts, labels, first), [...labels.shape, 1]));
  const likelier = reduceSum(cast(greater(logits, picked), "float32"), [-1]);
  const right = cast(not(greater(reshape(likelier, labels.shape), scalar(0))), "float32");
  return total(mul(right, cast(counts, "float32")));
}

const smoothed = (picked: Value, logs: Value, epsilon: number): Value =>
  neg(add(mul(picked, scalar(1 - epsilon)), mul(reduceMean(logs), scalar(epsilon))));

/** The sum of all elements, a scalar. */
const total = (x: Value): Value =>
  reshape(
    reduceSum(
      x,
      x.shape.map((_, axis) => axis),
    ),
    [],
  );
