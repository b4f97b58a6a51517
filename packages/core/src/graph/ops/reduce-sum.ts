import { axisOf, type Shape, sameShape } from "../../tensor/shape.ts";
import { defineOp } from "../operator.ts";
import { dims, entriesOf, type Value } from "../value.ts";
import { expand } from "./expand.ts";
import { reshape } from "./reshape.ts";

/** The sum over some axes, which keep length 1. */
export const ReduceSum = defineOp({
  type: "ReduceSum",
  operands: 2,
  attributes: { keepdims: "int" },
  infer: ([x, axes]) => [
    { dtype: x.dtype, shape: x.shape.map((dim, axis) => (entriesOf(axes).includes(axis) ? 1 : dim)) },
  ],
  gradient: (dy, [x]) => [expand(dy, x.shape), undefined],
  narrow: (axis, [, axes]) => (entriesOf(axes).includes(axis) ? undefined : [axis, undefined]),
});

/** The sum over some axes, which keep length 1. */
export const reduceSum = (x: Value, axes: readonly number[]): Value =>
  ReduceSum.of([x, dims(axes.map((axis) => axisOf(axis, x.shape.length)))], { keepdims: 1 });

/** The adjoint of broadcasting: x summed over the axes along which `shape` is stretched to x's. */
export function sumTo(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  const added = x.shape.length - shape.length;
  const stretched = x.shape.flatMap((dim, axis) => (axis < added || shape[axis - added] !== dim ? [axis] : []));
  return reshape(reduceSum(x, stretched), shape);
}
