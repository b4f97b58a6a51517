import type { Task, Tokenizer } from "@petl/core";
import type { PretrainedArchitecture, PretrainingRecord } from "./record.ts";

/** What an architecture learns from text, and how its rows are made of it. */
export interface PretrainingKind {
  readonly task: Task;
  readonly tokenizer: "wordpiece" | "byte-level-bpe";
  /** whole sentences within the special tokens of a text, or tokens one behind the other */
  readonly rows: "sentences" | "tokens";
}

export const pretrainingKinds: Readonly<Record<PretrainedArchitecture, PretrainingKind>> = {
  bert: { task: "masked-lm", tokenizer: "wordpiece", rows: "sentences" },
};

/** The config.json of the model to be, with Hugging Face's fields. */
export function modelConfig(
  { architecture, sizes, max_length }: PretrainingRecord,
  { vocabularySize, padId }: Pick<Tokenizer, "vocabularySize" | "padId">,
): Readonly<Record<string, unknown>> {
  switch (architecture) {
    case "bert":
      return {
        architectures: ["BertForMaskedLM"],
        model_type: "bert",
        vocab_size: vocabularySize,
        hidden_size: sizes.hidden,
        num_hidden_layers: sizes.layers,
        num_attention_heads: sizes.heads,
        intermediate_size: sizes.feed_forward,
        hidden_act: "gelu",
        max_position_embeddings: max_length,
        type_vocab_size: 2,
        layer_norm_eps: 1e-12,
        initializer_range: 0.02,
        hidden_dropout_prob: 0.1,
        attention_probs_dropout_prob: 0.1,
        pad_token_id: padId,
        tie_word_embeddings: true,
      };
  }
}
