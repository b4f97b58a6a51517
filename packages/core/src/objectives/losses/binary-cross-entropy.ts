import { add } from "../../graph/ops/add.ts";
import { logSoftmax } from "../../graph/ops/log-softmax.ts";
import { mul } from "../../graph/ops/mul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { constant, scalar, type Value } from "../../graph/value.ts";
import { float32 } from "../../tensor/host-tensor.ts";
import { total } from "./total.ts";

/**
 * Σ over rows of the mean over labels of −y ln σ(x) − (1 − y) ln σ(−x).  logits x, labels y (0 or 1): [batch, labels]
 *
 * A label that a row has or has not is a choice of two, whose logits may be x/2 and −x/2: ln σ(x) and ln σ(−x) are their
 * log-softmax, which is exact for every x, and so is its gradient.
 */
export function binaryCrossEntropy(logits: Value, labels: Value, outputs: number): Value {
  const pair = (x: Value, has: number, hasNot: number) =>
    mul(reshape(x, [...x.shape, 1]), constant(float32([2], Float32Array.of(has, hasNot))));
  const logs = logSoftmax(pair(logits, 0.5, -0.5));
  const chosen = add(pair(labels, 1, -1), constant(float32([2], Float32Array.of(0, 1))));
  return mul(total(mul(logs, chosen)), scalar(-1 / outputs));
}
