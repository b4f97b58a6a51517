import { add } from "../graph/ops/add.ts";
import { matmul } from "../graph/ops/matmul.ts";
import type { Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/** x Wᵀ, each of the last axis' vectors multiplied by W.  x: [..., in], W: [out, in] -> [..., out] */
export const project = (x: Value, weight: Value): Value => matmul(x, weight, { transB: true });

/** A linear layer, y = W x + b with W: [out, in] as PyTorch keeps it; a site where methods may act. */
export function linear(scope: Scope, x: Value, inSize: number, outSize: number, { bias = true } = {}): Value {
  const weight = scope.parameter("weight", [outSize, inSize]);
  const shift = bias ? scope.parameter("bias", [outSize]) : undefined;
  const apply = (input: Value) => (shift ? add(project(input, weight), shift) : project(input, weight));
  return scope.hooks.linear({ path: scope.path, x, y: apply(x), apply, weight, bias: shift, inSize, outSize });
}
