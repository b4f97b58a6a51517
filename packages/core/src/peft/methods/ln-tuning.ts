import { z } from "zod";
import { isNorm } from "../../nn/scope.ts";
import { defineMethod } from "../method.ts";
import { layerList, targetModules } from "../options.ts";
import { peftFields } from "../peft-fields.ts";
import { targetsFromPeft, targetsToPeft } from "../peft-targets.ts";
import { isChosen, isTarget } from "../targets.ts";

/** LN tuning: only scales and shifts of norms are trained, the stack's or chosen ones. The base's own are the start. */
export const lnTuning = defineMethod({
  name: "ln-tuning",
  summary: "trains the scales and shifts of the base's norms and nothing else",
  source: "Zhao et al. 2023, arXiv:2312.11420, section 3",
  start: "base",
  rate: 1e-3,
  options: {
    targets: targetModules("norms that are trained; those of the stack where left out"),
    layers: layerList("layers of the stack whose norms are trained: 0,2,4-7, top:K or bottom:K"),
  },
  trains({ module, role, layer, layers: count, conventions }, { targets, layers }) {
    const chosen = targets ?? { kind: "names", names: conventions.norms, required: true };
    return isNorm(role) && isTarget(module, chosen) && isChosen(layer, layers, count);
  },
  peft: {
    type: "LN_TUNING",
    fields: ["target_modules", "exclude_modules"],
    inside: "ln_tuning_layers",
    read: (json) => ({ targets: targetsFromPeft(peftFields(config, json).target_modules) }),
    write: ({ targets, layers }, { conventions }) =>
      layers === undefined ? { target_modules: targetsToPeft(targets) ?? conventions.norms } : undefined,
  },
});

const config = z.looseObject({ target_modules: z.union([z.string(), z.array(z.string())]).nullish() });
