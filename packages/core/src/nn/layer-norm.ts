import { layerNormalization } from "../graph/ops/layer-normalization.ts";
import type { Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/** Layer normalisation of the last axis with its scale and shift. */
export function layerNorm(scope: Scope, x: Value, size: number, epsilon: number): Value {
  return layerNormalization(x, scope.parameter("weight", [size]), scope.parameter("bias", [size]), epsilon);
}
