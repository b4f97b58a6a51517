import { sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { mul } from "./mul.ts";
import { reduceSum } from "./reduce-sum.ts";
import { sub } from "./sub.ts";

/** eˣ / Σ eˣ over the last axis. */
export const Softmax = defineOp({
  type: "Softmax",
  operands: 1,
  attributes: { axis: "int" },
  infer: ([x]) => sameType(x),
  // dx = y (dy − Σ dy y)
  gradient: (dy, _, [y]) => [mul(y!, sub(dy, reduceSum(mul(dy, y!), [-1])))],
  narrow: (axis, [x]) => (axis === x.shape.length - 1 ? undefined : [axis]),
});

/** eˣ / Σ eˣ over the last axis. */
export const softmax = (x: Value): Value => Softmax.of([x], { axis: -1 });
