import { add } from "../../graph/ops/add.ts";
import { cast } from "../../graph/ops/cast.ts";
import { gather } from "../../graph/ops/gather.ts";
import { gatherElements } from "../../graph/ops/gather-elements.ts";
import { greater } from "../../graph/ops/greater.ts";
import { logSoftmax } from "../../graph/ops/log-softmax.ts";
import { mul } from "../../graph/ops/mul.ts";
import { neg } from "../../graph/ops/neg.ts";
import { not } from "../../graph/ops/not.ts";
import { reduceMean } from "../../graph/ops/reduce-mean.ts";
import { reduceSum } from "../../graph/ops/reduce-sum.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { where } from "../../graph/ops/where.ts";
import { constant, scalar, type Value } from "../../graph/value.ts";
import { float32 } from "../../tensor/host-tensor.ts";
import type { LossOptions } from "../objective.ts";
import { total } from "./total.ts";

/**
 * Cross-entropy summed over the items with a label: Σ −ln softmax(logits)[label]; labels below 0 count for nothing.
 * logits: [..., classes], labels: int32 [...]
 *
 * With label smoothing ε: (1 − ε) times that plus ε times the mean over all classes (Szegedy et al. 2015,
 * arXiv:1512.00567, section 7). With class weights w each class's term is multiplied by its weight, as torch's
 * CrossEntropyLoss does; the mean is then the sum over Σ w[label].
 */
export function crossEntropy(logits: Value, labels: Value, { labelSmoothing, classWeights }: LossOptions): Value {
  const { counts, picks } = picked(labels);
  const all = logSoftmax(logits);
  const weights = classWeights && constant(float32([classWeights.length], Float32Array.from(classWeights)));
  const logs = weights && labelSmoothing > 0 ? mul(all, weights) : all;
  const own = gatherElements(logs, picks);
  const loss = labelSmoothing === 0 ? neg(own) : smoothed(own, logs, labelSmoothing);
  const items = mul(reshape(loss, labels.shape), cast(counts, "float32"));
  if (!weights || labelSmoothing > 0) return total(items);
  return total(mul(items, reshape(gather(weights, picks), labels.shape)));
}

/** How many of the items' labels no other class is likelier than, a scalar; labels below 0 count for nothing. */
export function countRight(logits: Value, labels: Value): Value {
  const { counts, picks } = picked(labels);
  const likelier = reduceSum(cast(greater(logits, gatherElements(logits, picks)), "float32"), [-1]);
  const right = cast(not(greater(reshape(likelier, labels.shape), scalar(0))), "float32");
  return total(mul(right, cast(counts, "float32")));
}

/** Which items have a label, and the labels as places along the classes, 0 where there is none. */
function picked(labels: Value): { readonly counts: Value; readonly picks: Value } {
  const [none, first] = [scalar(-1, "int32"), scalar(0, "int32")];
  const counts = greater(labels, none);
  return { counts, picks: reshape(where(counts, labels, first), [...labels.shape, 1]) };
}

const smoothed = (own: Value, logs: Value, epsilon: number): Value =>
  neg(add(mul(own, scalar(1 - epsilon)), mul(reduceMean(logs), scalar(epsilon))));
