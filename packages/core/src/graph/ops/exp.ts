import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { mul } from "./mul.ts";

/** eˣ */
export const Exp = defineOp({
  type: "Exp",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: (dy, _, [y]) => [mul(dy, y!)],
  narrow: narrowBroadcast,
});

/** eˣ */
export const exp = (x: Value): Value => Exp.of([x], {});
