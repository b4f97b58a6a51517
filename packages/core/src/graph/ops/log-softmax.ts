import { sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { exp } from "./exp.ts";
import { mul } from "./mul.ts";
import { reduceSum } from "./reduce-sum.ts";
import { sub } from "./sub.ts";

/** x − ln Σ eˣ over the last axis. */
export const LogSoftmax = defineOp({
  type: "LogSoftmax",
  operands: 1,
  attributes: { axis: "int" },
  infer: ([x]) => sameType(x),
  // dx = dy − eʸ Σ dy
  gradient: (dy, _, [y]) => [sub(dy, mul(exp(y!), reduceSum(dy, [-1])))],
  narrow: (axis, [x]) => (axis === x.shape.length - 1 ? undefined : [axis]),
});

/** x − ln Σ eˣ over the last axis. */
export const logSoftmax = (x: Value): Value => LogSoftmax.of([x], { axis: -1 });
