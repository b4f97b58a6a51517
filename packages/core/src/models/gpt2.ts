import { z } from "zod";
import { add } from "../graph/ops/add.ts";
import { slice } from "../graph/ops/slice.ts";
import type { Value } from "../graph/value.ts";
import { activationNames, activations } from "../nn/activations.ts";
import { headAttention, splitHeads } from "../nn/attention.ts";
import { causalBias, textPositions } from "../nn/causal.ts";
import { decoderBlock } from "../nn/decoder-block.ts";
import { embedding } from "../nn/embedding.ts";
import { layerNorm } from "../nn/layer-norm.ts";
import { linear } from "../nn/linear.ts";
import { outputLayer } from "../nn/output-layer.ts";
import { lastToken } from "../nn/pooling.ts";
import { joinPath, type Scope } from "../nn/scope.ts";
import { defineArchitecture } from "./architecture.ts";
import { classifier } from "./bert.ts";
import { headCount, layerCount, tableRows, vocabularySize, width } from "./config-fields.ts";

const gpt2Config = z.object({
  vocab_size: vocabularySize.default(50257),
  n_positions: tableRows.default(1024),
  n_embd: width.default(768),
  n_layer: layerCount.default(12),
  n_head: headCount.default(12),
  n_inner: width.nullish(),
  activation_function: z.enum(activationNames).default("gelu_new"),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  initializer_range: z.number().nonnegative().default(0.02),
  pad_token_id: z.int().nonnegative().nullish(),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
  add_cross_attention: z.literal(false).default(false),
});
type Gpt2Config = z.infer<typeof gpt2Config>;

/** A layer whose weight lies as [in, out], as in the code that GPT-2 was published with. */
const conv1d = (scope: Scope, x: Value, inSize: number, outSize: number) =>
  linear(scope, x, inSize, outSize, { transposed: true });

function attention(scope: Scope, config: Gpt2Config, x: Value, bias: Value): Value {
  const { n_embd: hidden, n_head: heads } = config;
  const whole = conv1d(scope.at("c_attn"), x, hidden, 3 * hidden);
  const part = (at: number) => splitHeads(slice(whole, 2, at * hidden, (at + 1) * hidden), heads);
  const usual = config.scale_attn_weights ? (hidden / heads) ** -0.5 : 1;
  const scale = config.scale_attn_by_inverse_layer_idx ? usual / ((scope.layer ?? 0) + 1) : usual;
  const context = headAttention(scope, { query: part(0), key: part(1), value: part(2), bias, scale });
  return conv1d(scope.at("c_proj"), context, hidden, hidden);
}

function feedForward(scope: Scope, { n_embd: hidden, n_inner, activation_function }: Gpt2Config, x: Value): Value {
  const size = n_inner ?? 4 * hidden;
  const inner = activations[activation_function](conv1d(scope.at("c_fc"), x, hidden, size));
  return conv1d(scope.at("c_proj"), inner, size, hidden);
}

/** GPT-2 (Radford et al. 2019, section 2.3): a decoder with learned positions; token types are ignored. */
export const gpt2 = defineArchitecture({
  modelType: "gpt2",
  config: gpt2Config,
  sizeFields: { hidden: "n_embd", heads: "n_head" },
  sizes: (config) => ({
    layers: config.n_layer,
    hidden: config.n_embd,
    heads: config.n_head,
    keyValueHeads: config.n_head,
    headSize: config.n_embd / config.n_head,
    vocabulary: config.vocab_size,
    maxTokens: config.n_positions,
    trainedTokens: config.n_positions,
    padId: config.pad_token_id ?? 0,
    initializerRange: config.initializer_range,
  }),
  prefix: "transformer",
  classes: {
    base: "GPT2Model",
    classification: "GPT2ForSequenceClassification",
    "token-classification": "GPT2ForTokenClassification",
    "causal-lm": "GPT2LMHeadModel",
  },
  conventions: {
    updated: ["c_attn"],
    scaled: ["c_attn", "mlp.c_proj"],
    scaledInputs: ["mlp.c_proj"],
    norms: ["ln_1", "ln_2", "ln_f"],
    transposed: true,
  },
  otherNames: ({ tie_word_embeddings: tied }) => (tied ? { "transformer.wte.weight": "lm_head.weight" } : {}),
  encode(scope, config, inputs) {
    const { n_embd: hidden, layer_norm_epsilon: epsilon } = config;
    const norm = (at: Scope, y: Value) => layerNorm(at, y, hidden, epsilon);
    const words = embedding(scope.at("wte"), inputs.inputIds, config.vocab_size, hidden);
    const positions = textPositions(inputs, scope.hooks.virtualTokens);
    const bias = causalBias(inputs);
    let x = scope.dropout(add(words, embedding(scope.at("wpe"), positions, config.n_positions, hidden)));
    for (let index = 0; index < config.n_layer; index++) {
      const layer = scope.at(`h.${index}`, index);
      x = decoderBlock(layer, x, {
        hidden,
        attention: (y) => attention(layer.at("attn"), config, norm(layer.at("ln_1"), y), bias),
        feedForward: (y) => feedForward(layer.at("mlp"), config, norm(layer.at("ln_2"), y)),
      });
    }
    return norm(scope.at("ln_f"), x);
  },
  poolerModule: undefined,
  pool: (_scope, { pad_token_id }, hidden, inputs) => lastToken(hidden, inputs, pad_token_id),
  classify: (scope, { n_embd }, pooled, labels) => linear(scope.at("score"), pooled, n_embd, labels, { bias: false }),
  classifyTokens: (scope, { n_embd }, hidden, labels) => classifier(scope, hidden, n_embd, labels),
  predictTokens(scope, { n_embd, vocab_size, tie_word_embeddings: tied }, hidden, base) {
    const table = tied ? joinPath(base.path, "wte.weight") : undefined;
    return outputLayer(scope.at("lm_head"), hidden, { vocabulary: vocab_size, hidden: n_embd, table });
  },
  headModules: { classification: ["score"], "token-classification": ["classifier"] },
  adapterHub: { attention: "attn.c_attn", intermediate: "mlp.c_fc", output: "mlp.c_proj", prefix: "self_prefix" },
});
