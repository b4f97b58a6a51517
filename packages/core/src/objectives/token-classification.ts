import { ignoredLabel } from "../data/rows/examples.ts";
import { labelProblems, learnLabels } from "../data/rows/labels.ts";
import { unevenLabels } from "../data/rows/target.ts";
import { input } from "../graph/value.ts";
import { batchDim, tokensDim } from "../tensor/shape.ts";
import { classAnswer } from "./answers/class-answer.ts";
import { crossEntropy } from "./losses/cross-entropy.ts";
import { measureTags, tagMetrics } from "./metrics/tag-measures.ts";
import { defineObjective } from "./objective.ts";

/**
 * A class for each word. Of a word only the first token has the word's class, the others are ignored, as transformers'
 * token classification does. Loss: the mean of −ln softmax(logits)[label] over tokens with a label,
 * logits: [batch, tokens, classes]; with class weights Σ wᵢ lᵢ / Σ wᵢ.
 */
export const tokenClassification = defineObjective({
  name: "token-classification",
  summary: "one of several classes for each word",
  head: "token-classification",
  peftTask: "TOKEN_CLS",
  hasClasses: true,
  items: "tokens",
  unlabelled: "refused",
  takes: { classWeights: true, labelSmoothing: true },
  learn: learnLabels,
  targets: (labels) => ({
    name: "token-classification",
    forms: ["list", "words"],
    problems: (set) => [...unevenLabels(set), ...labelProblems(set, labels)],
    target(example, { inputIds, labels: list, firstTokens = [] }) {
      if (list) return { kind: "tokens", ids: list };
      if (example.kind !== "words" || !example.labels) return undefined;
      const ids = new Int32Array(inputIds.length).fill(ignoredLabel);
      for (const [word, token] of Array.from(firstTokens).entries())
        if (token >= 0) ids[token] = labels.idOf(example.labels[word]!)!;
      return { kind: "tokens", ids };
    },
  }),
  labels: () => input("labels", "int32", [batchDim, tokensDim]),
  loss: crossEntropy,
  metrics: tagMetrics,
  measure: measureTags,
  answer: classAnswer,
});
