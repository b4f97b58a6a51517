import { broadcastType, narrowBroadcast } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";

/** The remainder of a / b with the sign of b; integers only. */
export const Mod = defineOp({
  type: "Mod",
  operands: 2,
  infer: ([a, b]) => broadcastType("Mod", a, b),
  narrow: narrowBroadcast,
});

/** The remainder of a / b with the sign of b; integers only. */
export const mod = (a: Value, b: Value): Value => Mod.of([a, b], {});
