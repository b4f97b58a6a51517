import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";

/** −x */
export const Neg = defineOp({
  type: "Neg",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: (dy) => [neg(dy)],
  narrow: narrowBroadcast,
});

/** −x */
export const neg = (x: Value): Value => Neg.of([x], {});
