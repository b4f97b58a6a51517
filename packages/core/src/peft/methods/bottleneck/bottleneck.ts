import { add } from "../../../graph/ops/add.ts";
import { activationNames } from "../../../nn/activations.ts";
import { choice, toggle } from "../../../settings/setting.ts";
import { defineMethod } from "../../method.ts";
import { layerList } from "../../options.ts";
import { isChosen } from "../../targets.ts";
import { bottleneckModule, widestSize, widthAt, widthOptions } from "./bottleneck-module.ts";

/**
 * Bottleneck adapters in series, u(h) = W_up act(W_down h + b_down) + b_up with W_down: [size, hidden], behind a
 * sublayer's output f and in front of the residual sum with x:
 * - houlsby, behind attention and feed-forward: LN(f + u(f) + x); the blocks' layer norms are trained too.
 * - pfeiffer, behind the feed-forward only: LN(f + u(LN(f + x)) + x) (Pfeiffer et al. 2020, arXiv:2005.00052, section 3.2.1).
 * W_up and the biases start at zero, so the adapted model starts as the base model.
 */
export const bottleneck = defineMethod({
  name: "bottleneck",
  summary: "puts small two-layer networks in series behind the blocks' sublayers",
  source: "Houlsby et al. 2019, arXiv:1902.00751, section 2.1",
  start: "base",
  rate: 1e-3,
  size: { option: "size", limit: "hidden" },
  options: {
    ...widthOptions,
    placement: choice(["houlsby", "pfeiffer"], "houlsby", "where the adapters stand"),
    activation: choice(activationNames, "gelu", "non-linearity between the projections"),
    layers: layerList("layers of the stack to adapt: 0,2,4-7, top:K or bottom:K"),
    layerNorms: toggle(true, "houlsby: train the layer norms of the adapted blocks too"),
  },
  sublayer: {
    targets: ({ place, layer, layers: count }, { placement, layers }) =>
      (placement === "houlsby" || place === "feed-forward") && isChosen(layer, layers, count),
    apply({ x, y, hidden, normalize, path }, scope, { placement, activation, ...widths }) {
      const size = widthAt(path, widths);
      const sum = add(y, x);
      const read = placement === "houlsby" ? y : normalize ? normalize(sum) : sum;
      return add(y, bottleneckModule(scope, read, { hidden, size, activation }));
    },
  },
  trains({ role, layer, layers: count }, { placement, layerNorms, layers }) {
    const isOfBlock = (role === "norm" || role === "norm-bias") && layer !== undefined;
    return placement === "houlsby" && layerNorms && isOfBlock && isChosen(layer, layers, count);
  },
  joins: {
    alike: ({ placement, activation }) => ({ placement, activation }),
    widest: (all) => ({ size: widestSize(all), placement: all[0]?.placement, activation: all[0]?.activation }),
    factor: () => 1,
  },
});
