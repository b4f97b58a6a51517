import { z } from "zod";
import { cast } from "../graph/ops/cast.ts";
import { equal } from "../graph/ops/equal.ts";
import { mul } from "../graph/ops/mul.ts";
import { not } from "../graph/ops/not.ts";
import { scalar, type Value } from "../graph/value.ts";
import { activationNames } from "../nn/activations.ts";
import { headAttention, splitHeads } from "../nn/attention.ts";
import { causalBias } from "../nn/causal.ts";
import { embedding } from "../nn/embedding.ts";
import { gatedFeedForward } from "../nn/gated-feed-forward.ts";
import { linear, project } from "../nn/linear.ts";
import type { ModelInputs } from "../nn/model.ts";
import { pool } from "../nn/pooling.ts";
import { preNorm } from "../nn/pre-norm.ts";
import { rmsNorm } from "../nn/rms-norm.ts";
import { type Rotation, rotate, rotation } from "../nn/rotary.ts";
import type { Scope } from "../nn/scope.ts";
import { defineArchitecture } from "./architecture.ts";
import { longestText, ropeFields, ropeOf } from "./rope-config.ts";

/** The fields of config.json that Llama's computation depends on, with Hugging Face's defaults. */
const llamaConfig = z.object({
  vocab_size: z.int().positive().default(32000),
  hidden_size: z.int().positive().default(4096),
  intermediate_size: z.int().positive().default(11008),
  num_hidden_layers: z.int().positive().default(32),
  num_attention_heads: z.int().positive().default(32),
  num_key_value_heads: z.int().positive().nullish(),
  head_dim: z.int().positive().nullish(),
  hidden_act: z.enum(activationNames).default("silu"),
  initializer_range: z.number().nonnegative().default(0.02),
  rms_norm_eps: z.number().positive().default(1e-6),
  pad_token_id: z.int().nonnegative().nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  ...ropeFields,
});
type LlamaConfig = z.infer<typeof llamaConfig>;

const sizesOf = (config: LlamaConfig) => ({
  layers: config.num_hidden_layers,
  hidden: config.hidden_size,
  heads: config.num_attention_heads,
  keyValueHeads: config.num_key_value_heads ?? config.num_attention_heads,
  headSize: config.head_dim ?? config.hidden_size / config.num_attention_heads,
  vocabulary: config.vocab_size,
  maxTokens: longestText(config),
  padId: config.pad_token_id ?? 0,
  initializerRange: config.initializer_range,
});

/** What all blocks read of a batch. */
interface Reading {
  readonly bias: Value;
  readonly turned: Rotation;
}

/** h = x + attention(norm(x)), out = h + feed-forward(norm(h)).  x: [batch, tokens, hidden] -> the same */
function block(scope: Scope, config: LlamaConfig, index: number, x: Value, reading: Reading): Value {
  const { hidden_size: hidden, rms_norm_eps: epsilon } = config;
  const sizes = {
    ...{ hidden, feedForward: config.intermediate_size, activation: config.hidden_act, bias: config.mlp_bias },
  };
  const h = preNorm(scope, x, {
    ...{ site: "attention_adapters", place: "attention", hidden },
    compute: (input) => {
      const normed = rmsNorm(scope.at("input_layernorm"), input, hidden, epsilon);
      return selfAttention(scope.at("self_attn"), config, index, normed, reading);
    },
  });
  return preNorm(scope, h, {
    ...{ site: "output_adapters", place: "feed-forward", hidden },
    compute: (input) => {
      const normed = rmsNorm(scope.at("post_attention_layernorm"), input, hidden, epsilon);
      return gatedFeedForward(scope.at("mlp"), normed, sizes);
    },
  });
}

/** Attention of turned queries to turned keys; groups of heads share keys and values. */
function selfAttention(scope: Scope, config: LlamaConfig, index: number, x: Value, { bias, turned }: Reading): Value {
  const { hidden, heads, keyValueHeads, headSize, layers } = sizesOf(config);
  const biased = { bias: config.attention_bias };
  const projected = (name: string, count: number) =>
    splitHeads(linear(scope.at(name), x, hidden, count * headSize, biased), count);
  const context = headAttention(scope, {
    query: rotate(projected("q_proj", heads), turned),
    key: rotate(projected("k_proj", keyValueHeads), turned),
    value: projected("v_proj", keyValueHeads),
    ...{ bias, index, layers },
  });
  return linear(scope.at("o_proj"), context, heads * headSize, hidden, biased);
}

/** 1 for text: Hugging Face's classifiers look for their last token among those that are not the padding's. */
const textMask = ({ inputIds, attentionMask }: ModelInputs, padId: number | null | undefined): Value =>
  padId == null ? attentionMask : mul(attentionMask, cast(not(equal(inputIds, scalar(padId, "int32"))), "int32"));

/** Llama 1 to 3 (Touvron et al. 2023, arXiv:2302.13971, section 2.2): a decoder normalised in front of each sublayer. */
export const llama = defineArchitecture({
  modelType: "llama",
  config: llamaConfig,
  sizes: sizesOf,
  prefix: "model",
  classes: {
    base: "LlamaModel",
    classification: "LlamaForSequenceClassification",
    regression: "LlamaForSequenceClassification",
    "token-classification": "LlamaForTokenClassification",
    "causal-lm": "LlamaForCausalLM",
  },
  conventions: {
    updated: ["q_proj", "v_proj"],
    scaled: ["k_proj", "v_proj", "down_proj"],
    scaledInputs: ["down_proj"],
  },
  otherNames: ({ tie_word_embeddings: tied }) => (tied ? { "model.embed_tokens.weight": "lm_head.weight" } : {}),
  encode(scope, config, inputs) {
    const { headSize } = sizesOf(config);
    const { max_position_embeddings: maxTokens, vocab_size, hidden_size } = config;
    const { virtualTokens } = scope.hooks;
    const turned = rotation(inputs, { rope: ropeOf(config), size: headSize, maxTokens, virtualTokens });
    const reading = { bias: causalBias(inputs), turned };
    let x = embedding(scope.at("embed_tokens"), inputs.inputIds, vocab_size, hidden_size);
    for (let index = 0; index < config.num_hidden_layers; index++)
      x = block(scope.at(`layers.${index}`), config, index, x, reading);
    return rmsNorm(scope.at("norm"), x, hidden_size, config.rms_norm_eps);
  },
  poolerModule: undefined,
  pool: (_scope, { pad_token_id }, hidden, inputs) => pool("last", hidden, textMask(inputs, pad_token_id)),
  classify: (scope, { hidden_size }, pooled, labels) =>
    linear(scope.at("score"), pooled, hidden_size, labels, { bias: false }),
  classifyTokens: (scope, { hidden_size }, hidden, labels) =>
    linear(scope.at("score"), scope.dropout(hidden), hidden_size, labels),
  predictTokens(scope, { hidden_size, vocab_size, tie_word_embeddings: tied }, hidden, base) {
    const source = tied ? base.at("embed_tokens") : scope.at("lm_head");
    return project(hidden, source.parameter("weight", [vocab_size, hidden_size]));
  },
  headModules: { classification: ["score"], regression: ["score"], "token-classification": ["score"] },
});
