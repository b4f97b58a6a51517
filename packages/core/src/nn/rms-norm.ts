import { add } from "../graph/ops/add.ts";
import { rmsNormalization } from "../graph/ops/simplified-layer-normalization.ts";
import { scalar, type Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

interface RmsNorm {
  readonly size: number;
  readonly epsilon: number;
  /** what the scale is counted from: Gemma keeps its distance from one */
  readonly from: 0 | 1;
  /** whose norm it is: the residual stream's, or each head's */
  readonly role: "norm" | "head-norm";
}

/** RMS normalisation of the last axis with its scale. */
export function rmsNorm(scope: Scope, x: Value, { size, epsilon, from, role }: RmsNorm): Value {
  const weight = scope.parameter("weight", [size], role);
  return rmsNormalization(x, from === 0 ? weight : add(weight, scalar(from)), epsilon);
}
