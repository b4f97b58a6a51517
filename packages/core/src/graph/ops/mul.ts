import { broadcastType, narrowBroadcast } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { sumTo } from "./reduce-sum.ts";

/** a · b, element by element; shapes broadcast. */
export const Mul = defineOp({
  type: "Mul",
  operands: 2,
  infer: ([a, b]) => broadcastType("Mul", a, b),
  gradient: (dy, [a, b]) => [sumTo(mul(dy, b), a.shape), sumTo(mul(dy, a), b.shape)],
  narrow: narrowBroadcast,
});

/** a · b, element by element; shapes broadcast. */
export const mul = (a: Value, b: Value): Value => Mul.of([a, b], {});
