import { broadcastType, narrowBroadcast } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { sumTo } from "./reduce-sum.ts";

/** a / b, element by element; shapes broadcast. */
export const Div = defineOp({
  type: "Div",
  operands: 2,
  infer: ([a, b]) => broadcastType("Div", a, b),
  gradient: (dy, [a, b], [y]) => {
    const da = div(dy, b);
    return [sumTo(da, a.shape), neg(sumTo(mul(da, y!), b.shape))]; // d(a/b)/db = −(a/b)/b
  },
  narrow: narrowBroadcast,
});

/** a / b, element by element; shapes broadcast. */
export const div = (a: Value, b: Value): Value => Div.of([a, b], {});
