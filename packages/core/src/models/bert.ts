import { z } from "zod";
import { add } from "../graph/ops/add.ts";
import { slice } from "../graph/ops/slice.ts";
import { tanh } from "../graph/ops/tanh.ts";
import type { Value } from "../graph/value.ts";
import { activationNames, activations } from "../nn/activations.ts";
import { maskBias } from "../nn/attention.ts";
import { embedding } from "../nn/embedding.ts";
import { layerNorm } from "../nn/layer-norm.ts";
import { linear, project } from "../nn/linear.ts";
import type { HubPlaces, ModelInputs } from "../nn/model.ts";
import { positions } from "../nn/positions.ts";
import type { Scope } from "../nn/scope.ts";
import { type BlockNames, block } from "../nn/transformer.ts";
import { defineArchitecture } from "./architecture.ts";
import { headCount, layerCount, tableRows, vocabularySize, width } from "./config-fields.ts";

/** The fields of config.json that BERT's computation depends on, with Hugging Face's defaults. */
export const bertConfig = z.object({
  vocab_size: vocabularySize.default(30522),
  hidden_size: width.default(768),
  num_hidden_layers: layerCount.default(12),
  num_attention_heads: headCount.default(12),
  intermediate_size: width.default(3072),
  hidden_act: z.enum(activationNames).default("gelu"),
  max_position_embeddings: tableRows.default(512),
  type_vocab_size: tableRows.default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  initializer_range: z.number().nonnegative().default(0.02),
  pad_token_id: z.int().nonnegative().nullable().default(0),
  position_embedding_type: z.literal("absolute").default("absolute"),
  tie_word_embeddings: z.boolean().default(true),
  is_decoder: z.literal(false).default(false),
});
type BertConfig = z.infer<typeof bertConfig>;

export const bertSizes = (config: BertConfig) => ({
  layers: config.num_hidden_layers,
  hidden: config.hidden_size,
  heads: config.num_attention_heads,
  keyValueHeads: config.num_attention_heads,
  headSize: config.hidden_size / config.num_attention_heads,
  vocabulary: config.vocab_size,
  maxTokens: config.max_position_embeddings,
  trainedTokens: config.max_position_embeddings,
  padId: config.pad_token_id ?? 0,
  initializerRange: config.initializer_range,
});

/** Names of BERT's modules below `encoder.layer.N`. */
const names: BlockNames = {
  attention: "attention.self",
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  attentionOutput: "attention.output.dense",
  attentionNorm: "attention.output.LayerNorm",
  up: "intermediate.dense",
  down: "output.dense",
  norm: "output.LayerNorm",
  attentionSite: "attention.output",
  feedForwardSite: "output",
};

export const bertHubPlaces: HubPlaces = {
  attention: { q: "attention.self.query", k: "attention.self.key", v: "attention.self.value" },
  intermediate: "intermediate.dense",
  output: "output.dense",
  prefix: "self_prefix",
};

export const bertConventions = {
  updated: ["query", "value"],
  scaled: ["key", "value", "output.dense"],
  scaledInputs: ["output.dense"],
  norms: ["LayerNorm"],
};

/** BERT's embeddings and blocks; `positionIds` [tokens] or [batch, tokens] is where RoBERTa differs. */
export function encodeBert(scope: Scope, config: BertConfig, inputs: ModelInputs, positionVectors: Value): Value {
  const { hidden_size: hidden, layer_norm_eps: epsilon, num_hidden_layers: layers } = config;
  const embeddings = scope.at("embeddings");
  const words = embedding(embeddings.at("word_embeddings"), inputs.inputIds, config.vocab_size, hidden);
  const types = embedding(embeddings.at("token_type_embeddings"), inputs.tokenTypeIds, config.type_vocab_size, hidden);
  const sum = add(add(words, types), positionVectors);
  let x = scope.dropout(layerNorm(embeddings.at("LayerNorm"), sum, hidden, epsilon));
  const bias = maskBias(inputs.attentionMask);
  const sizes = {
    hidden,
    epsilon,
    heads: config.num_attention_heads,
    feedForward: config.intermediate_size,
    activation: config.hidden_act,
  };
  for (let index = 0; index < layers; index++)
    x = block(scope.at(`encoder.layer.${index}`, index), names, sizes, x, bias);
  return x;
}

/** A head of one linear layer, `classifier`. */
export const classifier = (scope: Scope, x: Value, hidden: number, labels: number): Value =>
  linear(scope.at("classifier"), scope.dropout(x), hidden, labels);

/** BERT (Devlin et al. 2018, arXiv:1810.04805). */
export const bert = defineArchitecture({
  modelType: "bert",
  config: bertConfig,
  sizes: bertSizes,
  otherNames: ({ tie_word_embeddings: tied }) =>
    tied ? { "cls.predictions.bias": "cls.predictions.decoder.bias" } : {},
  prefix: "bert",
  classes: {
    base: "BertModel",
    classification: "BertForSequenceClassification",
    "token-classification": "BertForTokenClassification",
    "masked-lm": "BertForMaskedLM",
  },
  conventions: bertConventions,
  encode(scope, config, inputs) {
    const table = scope.at("embeddings.position_embeddings");
    return encodeBert(
      scope,
      config,
      inputs,
      positions(table, inputs.inputIds, config.max_position_embeddings, config.hidden_size),
    );
  },
  poolerModule: "pooler.dense",
  pool: (scope, { hidden_size }, hidden) =>
    tanh(linear(scope.at("pooler.dense"), slice(hidden, 1, 0, 1), hidden_size, hidden_size)),
  classify: (scope, { hidden_size }, pooled, labels) => classifier(scope, pooled, hidden_size, labels),
  classifyTokens: (scope, { hidden_size }, hidden, labels) => classifier(scope, hidden, hidden_size, labels),
  predictTokens(scope, config, hidden, base) {
    const { hidden_size, vocab_size } = config;
    const predictions = scope.at("cls.predictions");
    const dense = linear(predictions.at("transform.dense"), hidden, hidden_size, hidden_size);
    const transformed = layerNorm(
      predictions.at("transform.LayerNorm"),
      activations[config.hidden_act](dense),
      hidden_size,
      config.layer_norm_eps,
    );
    const source = config.tie_word_embeddings ? base.at("embeddings.word_embeddings") : predictions.at("decoder");
    const table = source.parameter("weight", [vocab_size, hidden_size], "table");
    const shift = config.tie_word_embeddings ? predictions : predictions.at("decoder");
    return add(project(transformed, table), shift.parameter("bias", [vocab_size], "bias"));
  },
  headModules: {
    classification: ["classifier"],
    "token-classification": ["classifier"],
    "masked-lm": ["cls"],
  },
  adapterHub: bertHubPlaces,
});
