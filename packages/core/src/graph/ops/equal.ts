import { broadcastType, narrowBroadcast } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";

/** a = b, a bool tensor; shapes broadcast. */
export const Equal = defineOp({
  type: "Equal",
  operands: 2,
  infer: ([a, b]) => broadcastType("Equal", a, b, "bool"),
  narrow: narrowBroadcast,
});

/** a = b, a bool tensor; shapes broadcast. */
export const equal = (a: Value, b: Value): Value => Equal.of([a, b], {});
