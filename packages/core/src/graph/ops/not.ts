import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";

/** The opposite of a bool tensor */
export const Not = defineOp({
  type: "Not",
  operands: 1,
  infer: ([x]) => sameType(x),
  narrow: narrowBroadcast,
});

/** The opposite of a bool tensor */
export const not = (x: Value): Value => Not.of([x], {});
