import type { Task, Tokenizer } from "@petl/core";
import type { PretrainedArchitecture, PretrainingRecord } from "./record.ts";

/** What an architecture learns from text, and how its rows are made of it. */
interface PretrainingKind {
  readonly task: Task;
  readonly tokenizer: "wordpiece" | "byte-level-bpe";
  /** whole sentences within the special tokens of a text, or tokens one behind the other */
  readonly rows: "sentences" | "tokens";
  /** the tensor of the words' vectors, [vocabulary, hidden] */
  readonly table: string;
}

export const pretrainingKinds: Readonly<Record<PretrainedArchitecture, PretrainingKind>> = {
  bert: {
    task: "masked-lm",
    tokenizer: "wordpiece",
    rows: "sentences",
    table: "bert.embeddings.word_embeddings.weight",
  },
  llama: { task: "causal-lm", tokenizer: "byte-level-bpe", rows: "tokens", table: "model.embed_tokens.weight" },
};

/** A feed-forward layer of so many parameters that all architectures of one width and depth are about equally large. */
export function usualFeedForward(architecture: PretrainedArchitecture, hidden: number): number {
  switch (architecture) {
    case "bert":
      return 4 * hidden;
    case "llama": // gated, of three matrices for two: 2/3 of it (Touvron et al. 2023, section 2.2), in steps of 32
      return Math.round((8 * hidden) / 3 / 32) * 32;
  }
}

/** The config.json of the model to be, with Hugging Face's fields. */
export function modelConfig(
  { architecture, sizes, max_length }: PretrainingRecord,
  { vocabularySize, padId, specialIds }: Pick<Tokenizer, "vocabularySize" | "padId" | "specialIds">,
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
    case "llama":
      return {
        architectures: ["LlamaForCausalLM"],
        model_type: "llama",
        vocab_size: vocabularySize,
        hidden_size: sizes.hidden,
        num_hidden_layers: sizes.layers,
        num_attention_heads: sizes.heads,
        num_key_value_heads: sizes.heads,
        intermediate_size: sizes.feed_forward,
        hidden_act: "silu",
        max_position_embeddings: max_length,
        rms_norm_eps: 1e-6,
        rope_theta: 10_000,
        initializer_range: 0.02,
        bos_token_id: specialIds.bos_token ?? null,
        eos_token_id: specialIds.eos_token ?? null,
        pad_token_id: padId,
        tie_word_embeddings: true,
      };
  }
}
