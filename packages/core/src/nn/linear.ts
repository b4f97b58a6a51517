import { add } from "../graph/ops/add.ts";
import { matmulNBits } from "../graph/ops/mat-mul-n-bits.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { transpose, untransposed } from "../graph/ops/transpose.ts";
import type { Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/**
 * scale · x Wᵀ, each of the last axis' vectors multiplied by W; of a W that is held in 4 bits, from those bits. (ONNX Runtime
 * has a kernel that is exact and fast for 4 bits; for 8 bits it would itself dequantise, more slowly.)
 * x: [batch, tokens, in] or [..., in], W: [out, in], or a matrix for each row of the batch, [batch, out, in] -> [..., out]
 */
export const project = (x: Value, weight: Value, scale = 1): Value =>
  (scale === 1 ? matmulNBits(x, weight) : undefined) ?? matmul(x, weight, { transB: true, alpha: scale });

/**
 * A linear layer, y = W x + b with W: [out, in] as PyTorch keeps it, or `transposed`: [in, out]; a site where methods may
 * act.
 */
export function linear(
  scope: Scope,
  x: Value,
  inSize: number,
  outSize: number,
  { bias = true, transposed = false } = {},
): Value {
  const stored = scope.parameter("weight", transposed ? [inSize, outSize] : [outSize, inSize], "weight");
  const shift = bias ? scope.parameter("bias", [outSize], "bias") : undefined;
  // a [in, out] that is held in few bits is held as its transpose
  const rows = transposed ? untransposed(stored) : stored;
  const product = (input: Value) => (rows ? project(input, rows) : matmul(input, stored));
  const apply = (input: Value) => (shift ? add(product(input), shift) : product(input));
  const weight = rows ?? transpose(stored, [1, 0]);
  return scope.hooks.act("linear", {
    path: scope.path,
    layer: scope.layer,
    x,
    y: apply(x),
    apply,
    weight,
    bias: shift,
    inSize,
    outSize,
    transposed,
    output: false,
  });
}
