import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { scalar } from "../value.ts";
import { div } from "./div.ts";
import { mul } from "./mul.ts";

/** √x */
export const Sqrt = defineOp({
  type: "Sqrt",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: (dy, _, [y]) => [div(mul(dy, scalar(0.5, dy.dtype)), y!)],
  narrow: narrowBroadcast,
});

/** √x */
export const sqrt = (x: Value): Value => Sqrt.of([x], {});
