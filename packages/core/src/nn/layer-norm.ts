import { add } from "../graph/ops/add.ts";
import { expand } from "../graph/ops/expand.ts";
import { layerNormalization } from "../graph/ops/layer-normalization.ts";
import { mul } from "../graph/ops/mul.ts";
import { scalar, type Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/** Layer normalisation of the last axis with its scale and shift, [size] or one of each row, [batch, 1, size]. */
export function layerNorm(scope: Scope, x: Value, size: number, epsilon: number): Value {
  const scale = scope.parameter("weight", [size], "norm");
  const shift = scope.parameter("bias", [size], "norm-bias");
  if (scale.shape.length === 1 && shift.shape.length === 1) return layerNormalization(x, scale, shift, epsilon);
  const plain = layerNormalization(x, expand(scalar(1), [size]), expand(scalar(0), [size]), epsilon);
  return add(mul(plain, scale), shift);
}
