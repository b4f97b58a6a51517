import { broadcastType, narrowBroadcast } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { neg } from "./neg.ts";
import { sumTo } from "./reduce-sum.ts";

/** a − b, element by element; shapes broadcast. */
export const Sub = defineOp({
  type: "Sub",
  operands: 2,
  infer: ([a, b]) => broadcastType("Sub", a, b),
  gradient: (dy, [a, b]) => [sumTo(dy, a.shape), neg(sumTo(dy, b.shape))],
  narrow: narrowBroadcast,
});

/** a − b, element by element; shapes broadcast. */
export const sub = (a: Value, b: Value): Value => Sub.of([a, b], {});
