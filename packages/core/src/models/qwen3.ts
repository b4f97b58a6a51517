import { defineDecoder } from "./decoder.ts";
import { qwenConfig, qwenConventions, qwenDecoder } from "./qwen2.ts";

/** Qwen 3 (Yang et al. 2025, arXiv:2505.09388, section 2): Qwen 2 with a norm of each head of queries and keys. */
export const qwen3 = defineDecoder({
  modelType: "qwen3",
  config: qwenConfig.extend({ head_dim: qwenConfig.shape.head_dim.default(128) }),
  conventions: qwenConventions,
  classes: {
    base: "Qwen3Model",
    classification: "Qwen3ForSequenceClassification",
    "token-classification": "Qwen3ForTokenClassification",
    "causal-lm": "Qwen3ForCausalLM",
  },
  decoder: (config) => ({ ...qwenDecoder(config), headNorms: true }),
});
