import { defineOp, illegal } from "../operator.ts";
import type { Value } from "../value.ts";
import { mul } from "./mul.ts";
import { reduceMean } from "./reduce-mean.ts";
import { sumTo } from "./reduce-sum.ts";
import { sub } from "./sub.ts";

/**
 * x̂ γ with x̂ = x / √(mean(x²) + ε) over the last axis, RMS normalisation (Zhang & Sennrich 2019, arXiv:1910.07467,
 * section 4). x: [..., hidden], γ: [hidden]. Outputs: y and 1/√(mean(x²) + ε), [..., 1].
 */
export const SimplifiedLayerNormalization = defineOp({
  type: "SimplifiedLayerNormalization",
  operands: 2,
  attributes: { axis: "int", epsilon: "float" },
  infer: ([x, gamma]) => {
    if (gamma.shape[0] !== x.shape.at(-1))
      illegal("SimplifiedLayerNormalization", "the scale must be as long as the last axis", [x, gamma]);
    return [
      { dtype: x.dtype, shape: x.shape },
      { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] },
    ];
  },
  // with g = dy γ:  dx = (g − x̂ mean(g x̂)) / √(mean(x²) + ε)
  gradient: (dy, [x, gamma], [, inverseRoot]) => {
    const normalized = mul(x, inverseRoot!);
    const g = mul(dy, gamma);
    const dx = mul(sub(g, mul(normalized, reduceMean(mul(g, normalized)))), inverseRoot!);
    return [dx, sumTo(mul(dy, normalized), gamma.shape)];
  },
  recompute: ([x, gamma], [, inverseRoot]) => mul(mul(x, inverseRoot!), gamma),
  narrow: (axis, [x]) => (axis === x.shape.length - 1 ? undefined : [axis, undefined]),
});

/** x γ / √(mean(x²) + ε) over the last axis; see {@link SimplifiedLayerNormalization}. */
export const rmsNormalization = (x: Value, gamma: Value, epsilon: number): Value =>
  SimplifiedLayerNormalization.of([x, gamma], { axis: -1, epsilon });
