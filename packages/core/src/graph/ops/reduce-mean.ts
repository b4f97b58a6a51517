import { axisOf } from "../../tensor/shape.ts";
import { defineOp } from "../operator.ts";
import { dims, entriesOf, scalar, type Value } from "../value.ts";
import { div } from "./div.ts";
import { expand } from "./expand.ts";

/** The mean over the last axis, which keeps length 1; that length is a number. */
export const ReduceMean = defineOp({
  type: "ReduceMean",
  operands: 2,
  attributes: { keepdims: "int" },
  infer: ([x, axes]) => [
    { dtype: x.dtype, shape: x.shape.map((dim, axis) => (entriesOf(axes).includes(axis) ? 1 : dim)) },
  ],
  gradient: (dy, [x]) => [expand(div(dy, scalar(Number(x.shape.at(-1)), dy.dtype)), x.shape), undefined],
  narrow: (axis, [, axes]) => (entriesOf(axes).includes(axis) ? undefined : [axis, undefined]),
});

/** The mean over the last axis, which keeps length 1. */
export const reduceMean = (x: Value): Value => ReduceMean.of([x, dims([axisOf(-1, x.shape.length)])], { keepdims: 1 });
