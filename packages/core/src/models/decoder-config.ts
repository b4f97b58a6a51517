import { z } from "zod";
import { activationNames } from "../nn/activations.ts";
import { headCount, layerCount, vocabularySize, width } from "./config-fields.ts";
import type { DecoderForm, View } from "./decoder.ts";
import { longestText, ropeFields, ropeOf, rotarySize } from "./rope-config.ts";

/** The fields of config.json that all decoders of the Llama family have, with Llama's defaults. */
export const decoderConfig = z.object({
  vocab_size: vocabularySize.default(32000),
  hidden_size: width.default(4096),
  intermediate_size: width.default(11008),
  num_hidden_layers: layerCount.default(32),
  num_attention_heads: headCount.default(32),
  num_key_value_heads: headCount.nullish(),
  head_dim: width.nullish(),
  hidden_act: z.enum(activationNames).default("silu"),
  initializer_range: z.number().nonnegative().default(0.02),
  rms_norm_eps: z.number().positive().default(1e-6),
  pad_token_id: z.int().nonnegative().nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  ...ropeFields,
});
type DecoderConfig = z.infer<typeof decoderConfig>;

/** Which layers see a window only. */
export const slidingFields = {
  sliding_window: z.int().positive().nullish(),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
};

/** A decoder as Llama is, with the sizes that a configuration says. */
export function plainDecoder(config: DecoderConfig): DecoderForm {
  const heads = config.num_attention_heads;
  const headSize = config.head_dim ?? config.hidden_size / heads;
  return {
    sizes: {
      layers: config.num_hidden_layers,
      hidden: config.hidden_size,
      heads,
      headSize,
      keyValueHeads: config.num_key_value_heads ?? heads,
      vocabulary: config.vocab_size,
      maxTokens: Number.POSITIVE_INFINITY,
      trainedTokens: longestText(config),
      padId: config.pad_token_id ?? 0,
      initializerRange: config.initializer_range,
    },
    padId: config.pad_token_id,
    tied: config.tie_word_embeddings,
    epsilon: config.rms_norm_eps,
    scaleFrom: 0,
    attention: { bias: config.attention_bias, outputBias: config.attention_bias, fused: false },
    feedForward: { feedForward: config.intermediate_size, activation: config.hidden_act, bias: false, fused: false },
    headNorms: false,
    outputNorms: false,
    embeddingScale: 1,
    rotarySize: rotarySize(config, headSize),
    trained: config.max_position_embeddings,
    views: layerViews(config.num_hidden_layers, { window: undefined, rope: ropeOf(config) }),
  };
}

/** What each layer sees: all the same, or those that `isSliding` names another view. */
export function layerViews(
  layers: number,
  full: View,
  sliding: View = full,
  isSliding: (layer: number) => boolean = () => false,
): readonly View[] {
  return Array.from({ length: layers }, (_, layer) => (isSliding(layer) ? sliding : full));
}
