import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { scalar } from "../value.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

/** 1 / (1 + e^−x) */
export const Sigmoid = defineOp({
  type: "Sigmoid",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: (dy, _, [y]) => [mul(dy, mul(y!, sub(scalar(1, dy.dtype), y!)))],
  narrow: narrowBroadcast,
});

/** 1 / (1 + e^−x) */
export const sigmoid = (x: Value): Value => Sigmoid.of([x], {});
