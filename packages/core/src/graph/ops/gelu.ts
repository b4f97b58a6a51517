import { narrowBroadcast, sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import { scalar, type Value } from "../value.ts";
import { add } from "./add.ts";
import { div } from "./div.ts";
import { erf } from "./erf.ts";
import { exp } from "./exp.ts";
import { mul } from "./mul.ts";

/** x Φ(x) with Φ the normal distribution function (Hendrycks & Gimpel 2016, arXiv:1606.08415). */
export const Gelu = defineOp({
  type: "Gelu",
  domain: "com.microsoft",
  operands: 1,
  infer: ([x]) => sameType(x),
  // dx = dy (Φ(x) + x e^(−x²/2) / √2π), from x alone: nothing else is kept from the forward pass
  gradient: (dy, [x]) => {
    const s = standardized(x);
    const density = div(mul(x, scalar(1 / Math.sqrt(2 * Math.PI), x.dtype)), exp(mul(s, s)));
    return [mul(dy, add(distribution(x), density))];
  },
  recompute: ([x]) => mul(x, distribution(x)),
  narrow: narrowBroadcast,
});

/** x / √2 */
const standardized = (x: Value): Value => mul(x, scalar(Math.SQRT1_2, x.dtype));

/** Φ(x) = (1 + erf(x / √2)) / 2 */
const distribution = (x: Value): Value => add(mul(erf(standardized(x)), scalar(0.5, x.dtype)), scalar(0.5, x.dtype));

/** x Φ(x) with Φ the normal distribution function. */
export const gelu = (x: Value): Value => Gelu.of([x], {});
