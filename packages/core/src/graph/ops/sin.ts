import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { cos } from "./cos.ts";
import { mul } from "./mul.ts";

/** The sine of x, in radians */
export const Sin = defineOp({
  type: "Sin",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: (dy, [x]) => [mul(dy, cos(x))],
  narrow: narrowBroadcast,
});

/** The sine of x, in radians */
export const sin = (x: Value): Value => Sin.of([x], {});
