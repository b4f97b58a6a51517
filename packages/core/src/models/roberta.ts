import { add } from "../graph/ops/add.ts";
import { cast } from "../graph/ops/cast.ts";
import { cumSum } from "../graph/ops/cum-sum.ts";
import { equal } from "../graph/ops/equal.ts";
import { mul } from "../graph/ops/mul.ts";
import { not } from "../graph/ops/not.ts";
import { slice } from "../graph/ops/slice.ts";
import { tanh } from "../graph/ops/tanh.ts";
import { scalar, type Value } from "../graph/value.ts";
import { activations } from "../nn/activations.ts";
import { embedding } from "../nn/embedding.ts";
import { layerNorm } from "../nn/layer-norm.ts";
import { linear, project } from "../nn/linear.ts";
import { defineArchitecture } from "./architecture.ts";
import { bertConfig, bertConventions, bertHubPlaces, bertSizes, classifier, encodeBert } from "./bert.ts";

const robertaConfig = bertConfig.extend({
  vocab_size: bertConfig.shape.vocab_size.default(50265),
  type_vocab_size: bertConfig.shape.type_vocab_size.default(2),
  pad_token_id: bertConfig.shape.pad_token_id.default(1),
});

/** Positions count only tokens that are not padding, from padId + 1 on: [batch, tokens] */
function positionIds(ids: Value, padId: number, virtualTokens: number): Value {
  const text = cast(not(equal(ids, scalar(padId, "int32"))), "int32");
  const counted = mul(add(cumSum(text, 1), scalar(virtualTokens, "int32")), text);
  return add(counted, scalar(padId, "int32"));
}

/** RoBERTa (Liu et al. 2019, arXiv:1907.11692): BERT's blocks, its own positions and heads. */
export const roberta = defineArchitecture({
  modelType: "roberta",
  config: robertaConfig,
  sizes(config) {
    const sizes = bertSizes(config);
    const maxTokens = sizes.maxTokens - sizes.padId - 1;
    return { ...sizes, maxTokens, trainedTokens: maxTokens };
  },
  problems: ({ max_position_embeddings: rows, pad_token_id: padId }) =>
    rows > (padId ?? 0) + 1
      ? []
      : [`max_position_embeddings: ${rows} leave none for text behind those up to pad_token_id ${padId}`],
  otherNames: ({ tie_word_embeddings: tied }) => (tied ? { "lm_head.bias": "lm_head.decoder.bias" } : {}),
  prefix: "roberta",
  classes: {
    base: "RobertaModel",
    classification: "RobertaForSequenceClassification",
    "token-classification": "RobertaForTokenClassification",
    "masked-lm": "RobertaForMaskedLM",
  },
  conventions: bertConventions,
  encode(scope, config, inputs) {
    const ids = positionIds(inputs.inputIds, config.pad_token_id ?? 1, scope.hooks.virtualTokens);
    const table = scope.at("embeddings.position_embeddings");
    return encodeBert(scope, config, inputs, embedding(table, ids, config.max_position_embeddings, config.hidden_size));
  },
  poolerModule: undefined,
  pool: (_scope, _config, hidden) => slice(hidden, 1, 0, 1),
  classify(scope, { hidden_size: hidden }, pooled, labels) {
    const head = scope.at("classifier");
    const dense = tanh(linear(head.at("dense"), scope.dropout(pooled), hidden, hidden));
    return linear(head.at("out_proj"), scope.dropout(dense), hidden, labels);
  },
  classifyTokens: (scope, { hidden_size }, hidden, labels) => classifier(scope, hidden, hidden_size, labels),
  predictTokens(scope, config, hidden, base) {
    const { hidden_size, vocab_size } = config;
    const head = scope.at("lm_head");
    const dense = activations.gelu(linear(head.at("dense"), hidden, hidden_size, hidden_size));
    const transformed = layerNorm(head.at("layer_norm"), dense, hidden_size, config.layer_norm_eps);
    const source = config.tie_word_embeddings ? base.at("embeddings.word_embeddings") : head.at("decoder");
    const table = source.parameter("weight", [vocab_size, hidden_size], "table");
    const shift = config.tie_word_embeddings ? head : head.at("decoder");
    return add(project(transformed, table), shift.parameter("bias", [vocab_size], "bias"));
  },
  headModules: {
    classification: ["classifier"],
    "token-classification": ["classifier"],
    "masked-lm": ["lm_head"],
  },
  adapterHub: bertHubPlaces,
});
