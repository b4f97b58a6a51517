import { add } from "../graph/ops/add.ts";
import { expand } from "../graph/ops/expand.ts";
import { mul } from "../graph/ops/mul.ts";
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

/** RMS normalisation of the last axis with its scale, [size] or one of each row, [batch, 1, size]. */
export function rmsNorm(scope: Scope, x: Value, { size, epsilon, from, role }: RmsNorm): Value {
  const weight = scope.parameter("weight", [size], role);
  const scale = from === 0 ? weight : add(weight, scalar(from));
  if (scale.shape.length === 1) return rmsNormalization(x, scale, epsilon);
  return mul(rmsNormalization(x, expand(scalar(1), [size]), epsilon), scale);
}
