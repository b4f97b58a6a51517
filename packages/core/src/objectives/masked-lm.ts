import { unevenLabels } from "../data/rows/target.ts";
import { crossEntropy } from "./losses/cross-entropy.ts";
import { wordLabels } from "./losses/word-labels.ts";
import { measureWords, wordMetrics } from "./metrics/word-measures.ts";
import { defineObjective } from "./objective.ts";

/**
 * The words that were hidden in a text. Rows of tokens may bring their labels, the id of the token that stands there; of
 * rows without labels tokens are hidden by chance, anew in every epoch. Loss: the mean cross-entropy over tokens with a
 * label, logits: [..., vocabulary].
 */
export const maskedLm = defineObjective({
  name: "masked-lm",
  summary: "the words that were hidden in a text",
  head: "masked-lm",
  peftTask: null,
  hasClasses: false,
  items: "tokens",
  unlabelled: "hidden tokens",
  takes: { classWeights: false, labelSmoothing: true },
  targets: () => ({
    name: "masked-lm",
    forms: ["list"],
    ofVocabulary: true,
    problems: unevenLabels,
    target: (_, { labels }) => labels && { kind: "tokens", ids: labels },
  }),
  labels: wordLabels,
  loss: crossEntropy,
  metrics: wordMetrics,
  measure: measureWords,
});
