import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { div } from "./div.ts";

/** ln x */
export const Log = defineOp({
  type: "Log",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: (dy, [x]) => [div(dy, x)],
  narrow: narrowBroadcast,
});

/** ln x */
export const log = (x: Value): Value => Log.of([x], {});
