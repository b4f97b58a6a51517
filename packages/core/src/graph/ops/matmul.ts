import { broadcast, elements, type Shape, times } from "../../tensor/shape.ts";
import { narrowBroadcast } from "../elementwise.ts";
import { defineOp, illegal } from "../operator.ts";
import type { Value } from "../value.ts";
import { sumTo } from "./reduce-sum.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

interface MatmulOptions {
  /** read a as its transpose (last two axes) */
  readonly transA?: boolean;
  /** read b as its transpose (last two axes) */
  readonly transB?: boolean;
  /** read b's first axis as its rows, those behind it as the leading ones */
  readonly transBatchB?: boolean;
  /** factor of the product */
  readonly alpha?: number;
}

/**
 * The order of an operand's axes where its rows stand in front of its leading axes, as `transBatchB` reads it:
 * [rows, ..., columns] -> [..., rows, columns]
 */
export const rowsInFront = (rank: number): readonly number[] => [
  ...Array.from({ length: rank - 2 }, (_, axis) => axis + 1),
  0,
  rank - 1,
];

/**
 * y = alpha · A B, the product of the last two axes, each operand read as it lies or transposed; leading axes broadcast.
 * With `transBatchB` the first axis of b stands for its rows, and a has as many axes; ONNX Runtime then takes no product
 * of b's without a row: it stops the process.
 * a: [..., m, k], b: [..., k, n] -> [..., m, n]
 */
export const FusedMatMul = defineOp({
  type: "FusedMatMul",
  domain: "com.microsoft",
  operands: 2,
  attributes: { transA: "int", transB: "int", transBatchB: "int", alpha: "float" },
  infer: ([a, b], { transA, transB, transBatchB }) => {
    const read = transBatchB === 1 ? rowsInFront(b.shape.length).map((axis) => b.shape[axis] ?? 1) : b.shape;
    const [m, k] = lastTwo(a.shape, transA === 1);
    const [k2, n] = lastTwo(read, transB === 1);
    const leading = broadcast(a.shape.slice(0, -2), read.slice(0, -2));
    if (transBatchB === 1 && (read.length < 3 || a.shape.length !== read.length))
      illegal("FusedMatMul", "transBatchB takes operands of as many axes, three at least", [a, b]);
    if (k !== k2 || !leading || a.dtype !== b.dtype) illegal("FusedMatMul", "inner lengths must agree", [a, b]);
    return [{ dtype: a.dtype, shape: [...leading, m, n] }];
  },
  // Y = alpha A B  =>  dA = alpha dY Bᵀ,  dB = alpha Aᵀ dY, each written so that no operand is transposed in memory
  gradient: (dy, [a, given], _, { transA, transB, transBatchB, alpha }) => {
    const [ta, tb] = [transA === 1, transB === 1];
    const order = rowsInFront(given.shape.length);
    const b = transBatchB === 1 ? transpose(given, order) : given;
    const da = ta
      ? product(b, dy, { transA: tb, transB: true, alpha }, a.shape)
      : product(dy, b, { transB: !tb, alpha }, a.shape);
    const db = tb
      ? product(dy, a, { transA: true, transB: ta, alpha }, b.shape)
      : product(a, dy, { transA: !ta, alpha }, b.shape);
    const back = order.map((_axis, axis) => order.indexOf(axis));
    return [da, transBatchB === 1 ? transpose(db, back) : db];
  },
  products: ([a], output, { transA }) => times(elements(output.shape), lastTwo(a.shape, transA === 1)[1]),
  narrow: (axis, [a, b], output, { transA, transBatchB }) => {
    const rank = output.shape.length;
    if (axis === rank - 1) return undefined;
    if (axis === rank - 2) return transA === 1 ? undefined : [a.shape.length - 2, undefined];
    if (transBatchB !== 1) return narrowBroadcast(axis, [a, b], output);
    const wide = [a.shape[axis], b.shape[axis + 1]];
    return wide.map((length, i) => (length === output.shape[axis] ? axis + i : undefined));
  },
});

/** y = alpha · A B; see {@link FusedMatMul}. */
export function matmul(a: Value, b: Value, options: MatmulOptions = {}): Value {
  const { transA = false, transB = false, transBatchB = false, alpha = 1 } = options;
  const read = { transA: transA ? 1 : 0, transB: transB ? 1 : 0, transBatchB: transBatchB ? 1 : 0 };
  return FusedMatMul.of([a, b], { ...read, alpha });
}

/** Rows and columns of an operand as the product reads it. */
function lastTwo(shape: Shape, transposed: boolean) {
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
