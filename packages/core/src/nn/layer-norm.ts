import { layerNormalization } from "../graph/ops/layer-normalization.ts";
import type { Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/** Layer normalisation of the last axis with its scale and shift. */
export function layerNorm(scope: Scope, x: Value, size: number, epsilon: number): Value {
  const scale = scope.parameter("weight", [size], "norm");
  return layerNormalization(x, scale, scope.parameter("bias", [size], "norm-bias"), epsilon);
}
