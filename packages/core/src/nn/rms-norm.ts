import { rmsNormalization } from "../graph/ops/simplified-layer-normalization.ts";
import type { Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/** RMS normalisation of the last axis with its scale. */
export function rmsNorm(scope: Scope, x: Value, size: number, epsilon: number): Value {
  return rmsNormalization(x, scope.parameter("weight", [size]), epsilon);
}
