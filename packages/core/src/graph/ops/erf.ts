import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { scalar } from "../value.ts";
import { div } from "./div.ts";
import { exp } from "./exp.ts";
import { mul } from "./mul.ts";

/** The error function, 2/√π ∫₀ˣ e^(−t²) dt */
export const Erf = defineOp({
  type: "Erf",
  operands: 1,
  infer: ([x]) => sameType(x),
  gradient: (dy, [x]) => [div(mul(dy, scalar(2 / Math.sqrt(Math.PI), dy.dtype)), exp(mul(x, x)))],
  narrow: narrowBroadcast,
});

/** The error function, 2/√π ∫₀ˣ e^(−t²) dt */
export const erf = (x: Value): Value => Erf.of([x], {});
