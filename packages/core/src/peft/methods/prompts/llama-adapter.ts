import { z } from "zod";
import { add } from "../../../graph/ops/add.ts";
import { mul } from "../../../graph/ops/mul.ts";
import { reshape } from "../../../graph/ops/reshape.ts";
import { tanh } from "../../../graph/ops/tanh.ts";
import { choice, count } from "../../../settings/setting.ts";
import { defineMethod } from "../../method.ts";
import { layerList } from "../../options.ts";
import { setsOf } from "../../own-tensors.ts";
import { normal, zeros } from "../../parameter.ts";
import { peftFields } from "../../peft-fields.ts";
import { layersToPeft } from "../../peft-targets.ts";
import { isChosen } from "../../targets.ts";

/**
 * LLaMA-Adapter: beside the text, a layer's queries read T learned vectors P: [T, hidden], with a softmax of their own:
 * softmax(Q Kᵀ/√d + bias) V + g · softmax(Q (P W_k)ᵀ/√d) (P W_v), W_k and W_v the layer's own, frozen, P without positions.
 * g is one number a layer, as in PEFT ("layer"), or tanh of one number a head, as in the paper's equation 7 and the authors'
 * code ("head-tanh"). It starts at zero, so the adapted model starts as the base model.
 */
export const llamaAdapter = defineMethod({
  name: "llama-adapter",
  summary: "lets attention read learned vectors beside the text, through gates that start at zero",
  source: "Zhang et al. 2023, arXiv:2303.16199, section 3",
  start: "base",
  rate: 9e-3,
  size: { option: "tokens", limit: "positions" },
  options: {
    tokens: count(10, "number of learned vectors in each layer"),
    layers: layerList("layers of the stack to adapt: 0,2,4-7, top:K or bottom:K"),
    gate: choice(["layer", "head-tanh"], "layer", "what the vectors' part is multiplied with"),
  },
  attention: {
    adds: true,
    targets: ({ keysAndValues, layer, layers: depth }, { layers }) =>
      keysAndValues !== undefined && isChosen(layer, layers, depth),
    apply(site, scope, { tokens, gate }) {
      const { attend, keysAndValues, queryHeads, hidden, added } = site;
      const P = scope.parameter("adaption_prompt", [1, tokens, hidden], normal(1));
      const sets = setsOf(P, 3);
      const own = keysAndValues?.(reshape(P, [sets, tokens, hidden]));
      if (!own) return site;
      const g =
        gate === "layer"
          ? reshape(scope.parameter("adaption_gate", [1], zeros), [sets, 1, 1, 1])
          : reshape(tanh(scope.parameter("adaption_gate", [queryHeads], zeros)), [sets, queryHeads, 1, 1]);
      const read = mul(attend(own.key, own.value), g);
      return { ...site, added: added ? add(added, read) : read };
    },
  },
  peft: {
    type: "ADAPTION_PROMPT",
    fields: ["target_modules", "adapter_len", "adapter_layers"],
    headless: true,
    read(json) {
      const { adapter_len, adapter_layers } = peftFields(config, json);
      return { tokens: adapter_len, layers: { end: "top", count: adapter_layers } };
    },
    write({ tokens, layers, gate }, { sizes }) {
      const chosen = layersToPeft(layers ?? { end: "top", count: sizes.layers }, sizes.layers) ?? [];
      if (gate !== "layer" || chosen.some((layer) => layer < sizes.layers - chosen.length)) return undefined;
      return { adapter_len: tokens, adapter_layers: chosen.length, target_modules: "self_attn" };
    },
  },
});

const config = z.looseObject({ adapter_len: z.int().positive(), adapter_layers: z.int().positive() });
