import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";

/** x, taken as given: gradients do not pass. */
export const Identity = defineOp({
  type: "Identity",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: () => [undefined],
  narrow: narrowBroadcast,
});

/** x, taken as given: gradients do not pass. */
export const detach = (x: Value): Value => Identity.of([x], {});
