import { z } from "zod";
import { defineDecoder, llamaHubPlaces } from "./decoder.ts";
import { decoderConfig, layerViews, plainDecoder } from "./decoder-config.ts";
import { ropeOf } from "./rope-config.ts";

const mistralConfig = decoderConfig.extend({
  intermediate_size: decoderConfig.shape.intermediate_size.default(14336),
  num_key_value_heads: decoderConfig.shape.num_key_value_heads.default(8),
  max_position_embeddings: decoderConfig.shape.max_position_embeddings.default(131_072),
  attention_bias: z.literal(false).default(false),
  sliding_window: z.int().positive().nullish().default(4096),
});

/** Mistral (Jiang et al. 2023, arXiv:2310.06825): Llama whose layers see a window of the text. */
export const mistral = defineDecoder({
  modelType: "mistral",
  config: mistralConfig,
  classes: {
    base: "MistralModel",
    classification: "MistralForSequenceClassification",
    "token-classification": "MistralForTokenClassification",
    "causal-lm": "MistralForCausalLM",
  },
  adapterHub: llamaHubPlaces,
  decoder: (config) => ({
    ...plainDecoder(config),
    views: layerViews(config.num_hidden_layers, { window: config.sliding_window ?? undefined, rope: ropeOf(config) }),
  }),
});
