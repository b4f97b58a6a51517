import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { sin } from "./sin.ts";

/** The cosine of x, in radians */
export const Cos = defineOp({
  type: "Cos",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: (dy, [x]) => [neg(mul(dy, sin(x)))],
  narrow: narrowBroadcast,
});

/** The cosine of x, in radians */
export const cos = (x: Value): Value => Cos.of([x], {});
