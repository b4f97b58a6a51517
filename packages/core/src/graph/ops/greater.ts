import { broadcastType, narrowBroadcast } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";

/** a > b, a bool tensor; shapes broadcast. */
export const Greater = defineOp({
  type: "Greater",
  operands: 2,
  infer: ([a, b]) => broadcastType("Greater", a, b, "bool"),
  narrow: narrowBroadcast,
});

/** a > b, a bool tensor; shapes broadcast. */
export const greater = (a: Value, b: Value): Value => Greater.of([a, b], {});
