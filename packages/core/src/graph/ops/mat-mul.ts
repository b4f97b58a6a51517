import { broadcast } from "../../tensor/shape.ts";
import { defineOp, illegal } from "../operator.ts";
import { FusedMatMul } from "./matmul.ts";

const asTheyLie = { transA: 0, transB: 0, transBatchB: 0, alpha: 1 };

/** y = A B as ONNX itself has it, for devices that lack {@link FusedMatMul}.  a: [..., m, k], b: [..., k, n] -> [..., m, n] */
export const MatMul = defineOp({
  type: "MatMul",
  operands: 2,
  infer: ([a, b]) => {
    const [[m = 1, k], [k2, n = 1]] = [a.shape.slice(-2), b.shape.slice(-2)];
    const leading = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (k !== k2 || !leading || a.dtype !== b.dtype) illegal("MatMul", "inner lengths must agree", [a, b]);
    return [{ dtype: a.dtype, shape: [...leading, m, n] }];
  },
  gradient: (dy, [a, b], _, __, differentiation) => {
    const node = FusedMatMul.apply([a, b], asTheyLie);
    return FusedMatMul.gradient(dy, node, differentiation) ?? [];
  },
  products: ([a, b]) => FusedMatMul.products(FusedMatMul.apply([a, b], asTheyLie)) ?? 0,
});
