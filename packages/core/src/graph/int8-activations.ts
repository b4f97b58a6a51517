import { MatMulNBits, matmulNBits, ofInt8 } from "./ops/mat-mul-n-bits.ts";
import { FusedMatMul } from "./ops/matmul.ts";
import { mul } from "./ops/mul.ts";
import { rewritten } from "./rewritten.ts";
import { type Node, scalar, type Value } from "./value.ts";

/**
 * Nearly the same values: what products with matrices in 4 or 8 bits multiply is rounded to 8 bits, block by block, so that they
 * are sums of whole numbers. For a block x of K numbers, x ≈ round(x / s) s with s = max|x| / 127.
 */
export const withInt8Activations = (values: readonly Value[]): readonly Value[] => rewritten(values, rounding);

function rounding(node: Node): readonly Value[] | undefined {
  const y = node.operator === MatMulNBits ? ofInt8(node) : node.operator === FusedMatMul ? ofBlocks(node) : undefined;
  return y && [y];
}

/** A product with a matrix that is read from its blocks first; undefined for all others. */
function ofBlocks({ inputs: [x, w], attributes: { transA, transB, transBatchB, alpha } }: Node): Value | undefined {
  if (!x || !w || transA === 1 || transB !== 1 || transBatchB === 1) return undefined;
  const y = matmulNBits(x, w, "int8");
  return y && (alpha === 1 ? y : mul(y, scalar(Number(alpha), y.dtype)));
}
