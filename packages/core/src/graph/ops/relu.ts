import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { scalar } from "../value.ts";
import { greater } from "./greater.ts";
import { where } from "./where.ts";

/** max(x, 0); its gradient at 0 is 0 */
export const Relu = defineOp({
  type: "Relu",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: (dy, [x]) => [where(greater(x, scalar(0, x.dtype)), dy, scalar(0, dy.dtype))],
  narrow: narrowBroadcast,
});

/** max(x, 0); its gradient at 0 is 0 */
export const relu = (x: Value): Value => Relu.of([x], {});
