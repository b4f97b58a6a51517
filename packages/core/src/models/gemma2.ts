import { z } from "zod";
import { activationNames } from "../nn/activations.ts";
import { defineDecoder } from "./decoder.ts";
import { decoderConfig, layerViews, plainDecoder, slidingFields } from "./decoder-config.ts";
import { qwenConventions } from "./qwen2.ts";
import { ropeOf } from "./rope-config.ts";

/** The fields that Gemma 2 and 3 share, with their defaults. */
export const gemmaConfig = decoderConfig.omit({ hidden_act: true }).extend({
  ...slidingFields,
  vocab_size: decoderConfig.shape.vocab_size.default(256_000),
  hidden_size: decoderConfig.shape.hidden_size.default(2304),
  intermediate_size: decoderConfig.shape.intermediate_size.default(9216),
  num_hidden_layers: decoderConfig.shape.num_hidden_layers.default(26),
  num_attention_heads: decoderConfig.shape.num_attention_heads.default(8),
  num_key_value_heads: decoderConfig.shape.num_key_value_heads.default(4),
  head_dim: decoderConfig.shape.head_dim.default(256),
  max_position_embeddings: decoderConfig.shape.max_position_embeddings.default(8192),
  hidden_activation: z.enum(activationNames).default("gelu_pytorch_tanh"),
  pad_token_id: decoderConfig.shape.pad_token_id.default(0),
  tie_word_embeddings: z.boolean().default(true),
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: slidingFields.sliding_window.default(4096),
  final_logit_softcapping: z.number().positive().nullish(),
  attn_logit_softcapping: z.number().positive().nullish(),
  use_bidirectional_attention: z.literal(false).nullish(),
});
type GemmaConfig = z.infer<typeof gemmaConfig>;

/** PEFT rescales and updates what it does in Qwen's models. */
export const gemmaConventions = {
  ...qwenConventions,
  norms: [
    ...["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"],
    "norm",
  ],
};

/** Llama with four norms in a layer, all counted from one, and embeddings times √hidden. */
export function gemmaDecoder(config: GemmaConfig) {
  const plain = plainDecoder({ ...config, hidden_act: config.hidden_activation });
  const scale = config.query_pre_attn_scalar ** -0.5;
  return {
    ...plain,
    scaleFrom: 1,
    outputNorms: true,
    embeddingScale: Math.sqrt(config.hidden_size),
    attention: { ...plain.attention, scale },
    logitCap: config.final_logit_softcapping ?? undefined,
  } as const;
}

/** Gemma 2 (Gemma Team 2024, arXiv:2408.00118, section 2): every other layer sees a window; scores and logits are bounded. */
export const gemma2 = defineDecoder({
  modelType: "gemma2",
  config: gemmaConfig.extend({
    final_logit_softcapping: gemmaConfig.shape.final_logit_softcapping.default(30),
    attn_logit_softcapping: gemmaConfig.shape.attn_logit_softcapping.default(50),
  }),
  conventions: gemmaConventions,
  classes: {
    base: "Gemma2Model",
    classification: "Gemma2ForSequenceClassification",
    "token-classification": "Gemma2ForTokenClassification",
    "causal-lm": "Gemma2ForCausalLM",
  },
  decoder(config) {
    const gemma = gemmaDecoder(config);
    const rope = ropeOf(config);
    const isSliding = (layer: number) =>
      config.layer_types ? config.layer_types[layer] === "sliding_attention" : layer % 2 === 0;
    const sliding = { window: config.sliding_window ?? undefined, rope };
    return {
      ...gemma,
      attention: { ...gemma.attention, softcap: config.attn_logit_softcapping ?? undefined },
      views: layerViews(config.num_hidden_layers, { window: undefined, rope }, sliding, isSliding),
    };
  },
});
