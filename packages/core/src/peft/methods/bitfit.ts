import { isBias } from "../../nn/scope.ts";
import { defineMethod } from "../method.ts";
import { layerList, targetModules } from "../options.ts";
import { isChosen, isTarget } from "../targets.ts";

/**
 * BitFit: only biases are trained, all of them or those of chosen modules (`query` and `intermediate.dense` do nearly as
 * well as all). The base's own biases are the start.
 */
export const bitfit = defineMethod({
  name: "bitfit",
  summary: "trains the base's biases and nothing else",
  source: "Ben Zaken et al. 2021, arXiv:2106.10199, section 3",
  start: "base",
  rate: 1e-3,
  options: {
    targets: targetModules("modules whose biases are trained; all biases where left out"),
    layers: layerList("layers of the stack whose biases are trained: 0,2,4-7, top:K or bottom:K"),
  },
  trains: ({ module, role, layer, layers: count }, { targets, layers }) =>
    isBias(role) && (targets === undefined || isTarget(module, targets)) && isChosen(layer, layers, count),
});
