import { defineOp } from "../operator.ts";
import { dims, entriesOf, type Value } from "../value.ts";

/** The largest number along some axes, which keep length 1. */
export const ReduceMax = defineOp({
  type: "ReduceMax",
  operands: 2,
  attributes: { keepdims: "int" },
  infer: ([x, axes]) => [
    { dtype: x.dtype, shape: x.shape.map((dim, axis) => (entriesOf(axes).includes(axis) ? 1 : dim)) },
  ],
  narrow: (axis, [, axes]) => (entriesOf(axes).includes(axis) ? undefined : [axis, undefined]),
});

/** The largest number of the last axis, which keeps length 1. */
export const largest = (x: Value): Value => ReduceMax.of([x, dims([x.shape.length - 1])], { keepdims: 1 });
