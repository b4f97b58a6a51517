import { z } from "zod";
import { defineDecoder } from "./decoder.ts";
import { decoderConfig, layerViews, plainDecoder, slidingFields } from "./decoder-config.ts";
import { ropeOf } from "./rope-config.ts";

/** The fields that Qwen 2 and 3 share, with their defaults. */
export const qwenConfig = decoderConfig.extend({
  ...slidingFields,
  vocab_size: decoderConfig.shape.vocab_size.default(151_936),
  intermediate_size: decoderConfig.shape.intermediate_size.default(22016),
  num_key_value_heads: decoderConfig.shape.num_key_value_heads.default(32),
  max_position_embeddings: decoderConfig.shape.max_position_embeddings.default(32768),
  use_sliding_window: z.boolean().default(false),
  sliding_window: slidingFields.sliding_window.default(4096),
  max_window_layers: z.int().nonnegative().default(28),
});
type QwenConfig = z.infer<typeof qwenConfig>;

/** PEFT rescales queries, not keys, in Qwen's models. */
export const qwenConventions = {
  updated: ["q_proj", "v_proj"],
  scaled: ["q_proj", "v_proj", "down_proj"],
  scaledInputs: ["down_proj"],
  norms: ["post_attention_layernorm"],
};

/** Llama with a window in some layers, where the configuration asks for it. */
export function qwenDecoder(config: QwenConfig) {
  const rope = ropeOf(config);
  const window = config.use_sliding_window ? (config.sliding_window ?? undefined) : undefined;
  const isSliding = (layer: number) =>
    config.layer_types ? config.layer_types[layer] === "sliding_attention" : layer >= config.max_window_layers;
  const views = layerViews(config.num_hidden_layers, { window: undefined, rope }, { window, rope }, isSliding);
  return { ...plainDecoder(config), views };
}

/** Qwen 2 and 2.5 (Yang et al. 2024, arXiv:2407.10671, section 2.2): Llama with biases on queries, keys and values. */
export const qwen2 = defineDecoder({
  modelType: "qwen2",
  config: qwenConfig,
  conventions: qwenConventions,
  classes: {
    base: "Qwen2Model",
    classification: "Qwen2ForSequenceClassification",
    "token-classification": "Qwen2ForTokenClassification",
    "causal-lm": "Qwen2ForCausalLM",
  },
  decoder: (config) => ({ ...qwenDecoder(config), attention: { bias: true, outputBias: false, fused: false } }),
});
