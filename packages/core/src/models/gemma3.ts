import { z } from "zod";
import { defineDecoder } from "./decoder.ts";
import { layerViews } from "./decoder-config.ts";
import { gemmaConfig, gemmaConventions, gemmaDecoder } from "./gemma2.ts";
import { ropeOf, ropeParameters } from "./rope-config.ts";

const gemma3Config = gemmaConfig.omit({ rope_parameters: true }).extend({
  vocab_size: gemmaConfig.shape.vocab_size.default(262_208),
  max_position_embeddings: gemmaConfig.shape.max_position_embeddings.default(131_072),
  rope_theta: gemmaConfig.shape.rope_theta.default(1_000_000),
  rope_local_base_freq: z.number().positive().default(10_000),
  /** one for the layers that see all and one for those with a window */
  rope_parameters: z
    .object({ full_attention: ropeParameters.nullish(), sliding_attention: ropeParameters.nullish() })
    .nullish(),
  sliding_window_pattern: z.int().positive().default(6),
});

/** Gemma 3 for text (Gemma Team 2025, arXiv:2503.19786, section 2): five of six layers see a window, each kind turns its way. */
export const gemma3 = defineDecoder({
  modelType: "gemma3_text",
  config: gemma3Config,
  conventions: gemmaConventions,
  classes: {
    base: "Gemma3TextModel",
    classification: "Gemma3TextForSequenceClassification",
    "causal-lm": "Gemma3ForCausalLM",
  },
  decoder(config) {
    const { full_attention, sliding_attention } = config.rope_parameters ?? {};
    const { max_position_embeddings, rope_theta, rope_scaling, rope_local_base_freq } = config;
    const full = ropeOf({ max_position_embeddings, rope_theta, rope_scaling, rope_parameters: full_attention });
    const near = { max_position_embeddings, rope_theta: rope_local_base_freq, rope_parameters: sliding_attention };
    const { layer_types: types, sliding_window_pattern: pattern } = config;
    const isSliding = (layer: number) => (types ? types[layer] === "sliding_attention" : (layer + 1) % pattern !== 0);
    const sliding = { window: config.sliding_window ?? undefined, rope: ropeOf(near) };
    return {
      ...gemmaDecoder({ ...config, rope_parameters: full_attention }),
      headNorms: true,
      views: layerViews(config.num_hidden_layers, { window: undefined, rope: full }, sliding, isSliding),
    };
  },
});
