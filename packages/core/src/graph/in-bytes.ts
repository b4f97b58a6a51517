import { heldOf, heldProduct, levels, MatMulNBits } from "./ops/mat-mul-n-bits.ts";
import { FusedMatMul } from "./ops/matmul.ts";
import { rewritten } from "./rewritten.ts";
import type { Node, Value } from "./value.ts";

/**
 * The same values, where products with matrices that are held in few bits round their other operand to 8 bits and multiply
 * whole numbers: each block of x, of as many numbers as a block of W, has a scale s by which its largest becomes 127. A row is
 * rounded by what stands in it alone, and a product is off by less than Σ |W| s / 2.
 */
export const inBytes = (values: readonly Value[]): readonly Value[] => rewritten(values, rounding);

function rounding({ operator, inputs, attributes }: Node): readonly Value[] | undefined {
  if (operator === MatMulNBits) return operator.apply(inputs, { ...attributes, accuracy_level: levels.bytes }).outputs;
  const [x, matrix] = inputs;
  const { transA, transB, transBatchB, alpha } = attributes;
  if (operator !== FusedMatMul || !x || !matrix || transA || !transB || transBatchB || alpha !== 1) return undefined;
  const held = heldOf(matrix);
  return held && [heldProduct(x, held, levels.bytes)];
}
