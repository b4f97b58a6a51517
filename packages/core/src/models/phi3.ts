import { z } from "zod";
import { defineDecoder } from "./decoder.ts";
import { decoderConfig, layerViews, plainDecoder } from "./decoder-config.ts";
import { ropeOf } from "./rope-config.ts";

const phi3Config = decoderConfig.extend({
  vocab_size: decoderConfig.shape.vocab_size.default(32064),
  hidden_size: decoderConfig.shape.hidden_size.default(3072),
  intermediate_size: decoderConfig.shape.intermediate_size.default(8192),
  rms_norm_eps: decoderConfig.shape.rms_norm_eps.default(1e-5),
  max_position_embeddings: decoderConfig.shape.max_position_embeddings.default(4096),
  original_max_position_embeddings: z.int().positive().default(4096),
  pad_token_id: decoderConfig.shape.pad_token_id.default(32000),
  attention_bias: z.literal(false).default(false),
  sliding_window: z.int().positive().nullish(),
});

/** Phi 3 and 4 (Abdin et al. 2024, arXiv:2404.14219, section 2): Llama with one layer for queries, keys and values. */
export const phi3 = defineDecoder({
  modelType: "phi3",
  config: phi3Config,
  // PEFT has no convention for it
  conventions: {
    updated: ["qkv_proj"],
    scaled: ["qkv_proj", "down_proj"],
    scaledInputs: ["down_proj"],
    norms: ["input_layernorm", "post_attention_layernorm", "norm"],
  },
  classes: {
    base: "Phi3Model",
    classification: "Phi3ForSequenceClassification",
    "token-classification": "Phi3ForTokenClassification",
    "causal-lm": "Phi3ForCausalLM",
  },
  decoder(config) {
    const plain = plainDecoder(config);
    return {
      ...plain,
      attention: { ...plain.attention, fused: true },
      feedForward: { ...plain.feedForward, fused: true },
      views: layerViews(config.num_hidden_layers, { window: config.sliding_window ?? undefined, rope: ropeOf(config) }),
    };
  },
});
