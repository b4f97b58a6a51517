import { broadcast, elements, type Shape, times } from "../../tensor/shape.ts";
import { narrowBroadcast } from "../elementwise.ts";
import { defineOp, illegal } from "../operator.ts";
import type { Value } from "../value.ts";
import { sumTo } from "./reduce-sum.ts";
import { reshape } from "./reshape.ts";

interface MatmulOptions {
  /** read a as its transpose (last two axes) */
  readonly transA?: boolean;
  /** read b as its transpose (last two axes) */
  readonly transB?: boolean;
  /** factor of the product */
  readonly alpha?: number;
}

/**
 * y = alpha · A B, the product of the last two axes, each operand read as it lies or transposed; leading axes broadcast.
 * a: [..., m, k], b: [..., k, n] -> [..., m, n]
 */
export const FusedMatMul = defineOp({
  type: "FusedMatMul",
  domain: "com.microsoft",
  operands: 2,
  attributes: { transA: "int", transB: "int", alpha: "float" },
  infer: ([a, b], { transA, transB }) => {
    const [m, k] = lastTwo(a, transA === 1);
    const [k2, n] = lastTwo(b, transB === 1);
    const leading = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (k !== k2 || !leading || a.dtype !== b.dtype) illegal("FusedMatMul", "inner lengths must agree", [a, b]);
    return [{ dtype: a.dtype, shape: [...leading, m, n] }];
  },
  // Y = alpha A B  =>  dA = alpha dY Bᵀ,  dB = alpha Aᵀ dY, each written so that no operand is transposed in memory
  gradient: (dy, [a, b], _, { transA, transB, alpha }) => {
    const [ta, tb] = [transA === 1, transB === 1];
    const da = ta
      ? product(b, dy, { transA: tb, transB: true, alpha }, a.shape)
      : product(dy, b, { transB: !tb, alpha }, a.shape);
    const db = tb
      ? product(dy, a, { transA: true, transB: ta, alpha }, b.shape)
      : product(a, dy, { transA: !ta, alpha }, b.shape);
    return [da, db];
  },
  products: ([a], output, { transA }) => times(elements(output.shape), lastTwo(a, transA === 1)[1]),
  narrow: (axis, [a, b], output, { transA }) => {
    const rank = output.shape.length;
    if (axis === rank - 1) return undefined;
    if (axis === rank - 2) return transA === 1 ? undefined : [a.shape.length - 2, undefined];
    return narrowBroadcast(axis, [a, b], output);
  },
});

/** y = alpha · A B; see {@link FusedMatMul}. */
export function matmul(a: Value, b: Value, { transA = false, transB = false, alpha = 1 }: MatmulOptions = {}): Value {
  return FusedMatMul.of([a, b], { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha });
}

/** Rows and columns of an operand as the product reads it. */
function lastTwo({ shape }: Value, transposed: boolean) {
  const [rows = 1, columns = 1] = shape.slice(-2);
  return transposed ? ([columns, rows] as const) : ([rows, columns] as const);
}

/** A product summed over the axes that broadcast; a matrix shared by a whole batch is summed by one flat product. */
function product(a: Value, b: Value, options: MatmulOptions, shape: Shape): Value {
  const shared = shape.length === 2 && a.shape.length > 2 && options.transA && !options.transB;
  // Σ over a batch of Aᵀ B = the product over all its rows at once
  return shared ? matmul(flatRows(a), flatRows(b), options) : sumTo(matmul(a, b, options), shape);
}

/** [..., n] -> [rows, n] */
const flatRows = (x: Value) => reshape(x, [elements(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);
