import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { scalar } from "../value.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

/** The hyperbolic tangent */
export const Tanh = defineOp({
  type: "Tanh",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: (dy, _, [y]) => [mul(dy, sub(scalar(1, dy.dtype), mul(y!, y!)))],
  narrow: narrowBroadcast,
});

/** The hyperbolic tangent */
export const tanh = (x: Value): Value => Tanh.of([x], {});
