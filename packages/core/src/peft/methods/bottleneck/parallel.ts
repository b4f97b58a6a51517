import { add } from "../../../graph/ops/add.ts";
import { mul } from "../../../graph/ops/mul.ts";
import { scalar } from "../../../graph/value.ts";
import { activationNames } from "../../../nn/activations.ts";
import { choice, real } from "../../../settings/setting.ts";
import { defineMethod } from "../../method.ts";
import { layerList } from "../../options.ts";
import { isChosen } from "../../targets.ts";
import { bottleneckModule, widestSize, widthAt, widthOptions } from "./bottleneck-module.ts";

/**
 * Parallel adapters: a bottleneck u beside a sublayer, fed with the sublayer's residual input x instead of its output f:
 * LN(f + s · u(x) + x), u(x) = W_up act(W_down x + b_down) + b_up.
 * W_up and the biases start at zero, so the adapted model starts as the base model.
 */
export const parallel = defineMethod({
  name: "parallel",
  summary: "puts small two-layer networks beside the blocks' sublayers",
  source: "He et al. 2021, arXiv:2110.04366, section 3.3",
  start: "base",
  rate: 1e-3,
  size: { option: "size", limit: "hidden" },
  options: {
    ...widthOptions,
    scale: real(4, "factor of the adapter's output"),
    placement: choice(["feed-forward", "attention", "both"], "feed-forward", "beside which sublayers"),
    activation: choice(activationNames, "relu", "non-linearity between the projections"),
    layers: layerList("layers of the stack to adapt: 0,2,4-7, top:K or bottom:K"),
  },
  sublayer: {
    adds: true,
    targets: ({ place, layer, layers: count }, { placement, layers }) =>
      (placement === "both" || place === placement) && isChosen(layer, layers, count),
    apply({ x, y, hidden, path }, scope, { scale, activation, ...widths }) {
      const size = widthAt(path, widths);
      return add(y, mul(bottleneckModule(scope, x, { hidden, size, activation }), scalar(scale)));
    },
  },
  joins: {
    alike: ({ activation }) => ({ activation }),
    widest: (all) => ({ size: widestSize(all), scale: 1, activation: all[0]?.activation }),
    factor: (tensor, { scale }) => (/\.adapter_up\.(weight|bias)$/.test(tensor) ? scale : 1),
  },
});
