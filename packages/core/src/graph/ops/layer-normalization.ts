import { defineOp, illegal } from "../operator.ts";
import type { Value } from "../value.ts";
import { add } from "./add.ts";
import { mul } from "./mul.ts";
import { reduceMean } from "./reduce-mean.ts";
import { sumTo } from "./reduce-sum.ts";
import { sub } from "./sub.ts";

/**
 * x̂ γ + β with x̂ = (x − mean) / √(variance + ε) over the last axis (Ba et al. 2016, arXiv:1607.06450, section 3).
 * x: [..., hidden], γ and β: [hidden]. Outputs: y, the mean and 1/√(variance + ε), both [..., 1].
 */
export const LayerNormalization = defineOp({
  type: "LayerNormalization",
  operands: 3,
  attributes: { axis: "int", epsilon: "float" },
  infer: ([x, gamma, beta]) => {
    if (gamma.shape[0] !== x.shape.at(-1) || beta.shape[0] !== x.shape.at(-1)) {
      illegal("LayerNormalization", "scale and shift must be as long as the last axis", [x, gamma, beta]);
    }
    const statistic = { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] };
    return [{ dtype: x.dtype, shape: x.shape }, statistic, statistic];
  },
  // with g = dy γ:  dx = (g − mean(g) − x̂ mean(g x̂)) / √(variance + ε)
  gradient: (dy, [x, gamma, beta], [, mean, inverseDeviation]) => {
    const normalized = normalize(x, mean!, inverseDeviation!);
    const g = mul(dy, gamma);
    const centred = sub(g, reduceMean(g));
    const dx = mul(sub(centred, mul(normalized, reduceMean(mul(g, normalized)))), inverseDeviation!);
    return [dx, sumTo(mul(dy, normalized), gamma.shape), sumTo(dy, beta.shape)];
  },
  recompute: ([x, gamma, beta], [, mean, inverseDeviation]) =>
    add(mul(normalize(x, mean!, inverseDeviation!), gamma), beta),
  narrow: (axis, [x]) => (axis === x.shape.length - 1 ? undefined : [axis, undefined, undefined]),
});

/** x̂ from x and its statistics. */
const normalize = (x: Value, mean: Value, inverseDeviation: Value): Value => mul(sub(x, mean), inverseDeviation);

/** x̂ γ + β over the last axis; see {@link LayerNormalization}. */
export const layerNormalization = (x: Value, gamma: Value, beta: Value, epsilon: number): Value =>
  LayerNormalization.of([x, gamma, beta], { axis: -1, epsilon });
