import { z } from "zod";
import { add } from "../graph/ops/add.ts";
import { relu } from "../graph/ops/relu.ts";
import { slice } from "../graph/ops/slice.ts";
import { activationNames, activations } from "../nn/activations.ts";
import { maskBias } from "../nn/attention.ts";
import { embedding } from "../nn/embedding.ts";
import { layerNorm } from "../nn/layer-norm.ts";
import { linear, project } from "../nn/linear.ts";
import { positions } from "../nn/positions.ts";
import { type BlockNames, block } from "../nn/transformer.ts";
import { defineArchitecture } from "./architecture.ts";
import { classifier } from "./bert.ts";
import { headCount, layerCount, tableRows, vocabularySize, width } from "./config-fields.ts";

const distilbertConfig = z.object({
  vocab_size: vocabularySize.default(30522),
  dim: width.default(768),
  n_layers: layerCount.default(6),
  n_heads: headCount.default(12),
  hidden_dim: width.default(3072),
  activation: z.enum(activationNames).default("gelu"),
  max_position_embeddings: tableRows.default(512),
  initializer_range: z.number().nonnegative().default(0.02),
  pad_token_id: z.int().nonnegative().nullable().default(0),
  tie_word_embeddings: z.boolean().default(true),
});

/** Names of DistilBERT's modules below `transformer.layer.N`. */
const names: BlockNames = {
  attention: "attention",
  query: "attention.q_lin",
  key: "attention.k_lin",
  value: "attention.v_lin",
  attentionOutput: "attention.out_lin",
  attentionNorm: "sa_layer_norm",
  up: "ffn.lin1",
  down: "ffn.lin2",
  norm: "output_layer_norm",
  attentionSite: "attention_adapters",
  feedForwardSite: "output_adapters",
};

const epsilon = 1e-12; // not in the configuration: Hugging Face's code has it as a number

/** DistilBERT (Sanh et al. 2019, arXiv:1910.01108): half of BERT's blocks, without token types and pooler. */
export const distilbert = defineArchitecture({
  modelType: "distilbert",
  config: distilbertConfig,
  sizeFields: { hidden: "dim", heads: "n_heads" },
  sizes: (config) => ({
    layers: config.n_layers,
    hidden: config.dim,
    heads: config.n_heads,
    keyValueHeads: config.n_heads,
    headSize: config.dim / config.n_heads,
    vocabulary: config.vocab_size,
    maxTokens: config.max_position_embeddings,
    trainedTokens: config.max_position_embeddings,
    padId: config.pad_token_id ?? 0,
    initializerRange: config.initializer_range,
  }),
  prefix: "distilbert",
  classes: {
    base: "DistilBertModel",
    classification: "DistilBertForSequenceClassification",
    "token-classification": "DistilBertForTokenClassification",
    "masked-lm": "DistilBertForMaskedLM",
  },
  conventions: {
    updated: ["q_lin", "v_lin"],
    scaled: ["k_lin", "v_lin", "lin2"],
    scaledInputs: ["lin2"],
    norms: ["LayerNorm", "sa_layer_norm", "output_layer_norm"],
  },
  encode(scope, config, inputs) {
    const { dim: hidden, n_layers: layers } = config;
    const embeddings = scope.at("embeddings");
    const words = embedding(embeddings.at("word_embeddings"), inputs.inputIds, config.vocab_size, hidden);
    const table = embeddings.at("position_embeddings");
    const sum = add(words, positions(table, inputs.inputIds, config.max_position_embeddings, hidden));
    let x = scope.dropout(layerNorm(embeddings.at("LayerNorm"), sum, hidden, epsilon));
    const bias = maskBias(inputs.attentionMask);
    const sizes = {
      hidden,
      epsilon,
      heads: config.n_heads,
      feedForward: config.hidden_dim,
      activation: config.activation,
    };
    for (let index = 0; index < layers; index++) {
      x = block(scope.at(`transformer.layer.${index}`, index), names, sizes, x, bias);
    }
    return x;
  },
  poolerModule: undefined,
  pool: (_scope, _config, hidden) => slice(hidden, 1, 0, 1),
  classify(scope, { dim }, pooled, labels) {
    const dense = relu(linear(scope.at("pre_classifier"), pooled, dim, dim));
    return classifier(scope, dense, dim, labels);
  },
  classifyTokens: (scope, { dim }, hidden, labels) => classifier(scope, hidden, dim, labels),
  predictTokens(scope, config, hidden, base) {
    const { dim, vocab_size } = config;
    const dense = activations[config.activation](linear(scope.at("vocab_transform"), hidden, dim, dim));
    const transformed = layerNorm(scope.at("vocab_layer_norm"), dense, dim, epsilon);
    const projector = scope.at("vocab_projector");
    const source = config.tie_word_embeddings ? base.at("embeddings.word_embeddings") : projector;
    return add(
      project(transformed, source.parameter("weight", [vocab_size, dim], "table")),
      projector.parameter("bias", [vocab_size], "bias"),
    );
  },
  headModules: {
    classification: ["pre_classifier", "classifier"],
    "token-classification": ["classifier"],
    "masked-lm": ["vocab_transform", "vocab_layer_norm", "vocab_projector"],
  },
  adapterHub: {
    attention: { q: "attention.q_lin", k: "attention.k_lin", v: "attention.v_lin" },
    intermediate: "ffn.lin1",
    output: "ffn.lin2",
    prefix: "self",
  },
});
