import { broadcastType, narrowBroadcast } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { sumTo } from "./reduce-sum.ts";

/** a + b, element by element; shapes broadcast. */
export const Add = defineOp({
  type: "Add",
  operands: 2,
  infer: ([a, b]) => broadcastType("Add", a, b),
  gradient: (dy, [a, b]) => [sumTo(dy, a.shape), sumTo(dy, b.shape)],
  narrow: narrowBroadcast,
});

/** a + b, element by element; shapes broadcast. */
export const add = (a: Value, b: Value): Value => Add.of([a, b], {});
