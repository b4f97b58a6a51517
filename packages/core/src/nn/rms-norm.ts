import { add } from "../graph/ops/add.ts";
import { rmsNormalization } from "../graph/ops/simplified-layer-normalization.ts";
import { scalar, type Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/** RMS normalisation of the last axis with its scale; Gemma keeps the scale's distance from one (`from: 1`). */
export function rmsNorm(scope: Scope, x: Value, size: number, epsilon: number, from: 0 | 1 = 0): Value {
  const weight = scope.parameter("weight", [size]);
  return rmsNormalization(x, from === 0 ? weight : add(weight, scalar(from)), epsilon);
}
