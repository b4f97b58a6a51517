import { nextTokens } from "../data/rows/next-tokens.ts";
import { unevenLabels } from "../data/rows/target.ts";
import { crossEntropy } from "./losses/cross-entropy.ts";
import { wordLabels } from "./losses/word-labels.ts";
import { measureWords, wordMetrics } from "./metrics/word-measures.ts";
import { defineObjective } from "./objective.ts";

/**
 * Each word by those in front of it. Rows without labels are their own; of prompts with completions and of conversations
 * only what is to be answered counts, unless all is asked for. Labels are shifted on the host. Loss: the mean
 * cross-entropy over tokens with a label, logits: [..., vocabulary].
 */
export const causalLm = defineObjective({
  name: "causal-lm",
  summary: "how texts go on",
  head: "causal-lm",
  peftTask: "CAUSAL_LM",
  hasClasses: false,
  items: "tokens",
  unlabelled: "next tokens",
  takes: { classWeights: false, labelSmoothing: true },
  targets: () => ({
    name: "causal-lm",
    forms: ["list", "completion"],
    ofOwnTokens: true,
    ofVocabulary: true,
    problems: unevenLabels,
    target: (_, row) => nextTokens(row),
  }),
  labels: wordLabels,
  loss: crossEntropy,
  metrics: wordMetrics,
  measure: measureWords,
});
