import { rowLabel } from "../data/rows/examples.ts";
import { labelProblems, learnLabels } from "../data/rows/labels.ts";
import { input } from "../graph/value.ts";
import { batchDim } from "../tensor/shape.ts";
import { classAnswer } from "./answers/class-answer.ts";
import { crossEntropy } from "./losses/cross-entropy.ts";
import { classMetrics, measureClasses } from "./metrics/class-measures.ts";
import { defineObjective } from "./objective.ts";

/**
 * One class for each text. Loss: the mean of −ln softmax(logits)[label] over rows, logits: [batch, classes]; with class
 * weights Σ wᵢ lᵢ / Σ wᵢ, as torch's CrossEntropyLoss.
 */
export const classification = defineObjective({
  name: "classification",
  summary: "one of several classes for each text",
  head: "classification",
  problemType: "single_label_classification",
  peftTask: "SEQ_CLS",
  hasClasses: true,
  items: "rows",
  unlabelled: "refused",
  takes: { classWeights: true, labelSmoothing: true },
  learn: learnLabels,
  targets: (labels) => ({
    name: "classification",
    forms: ["row"],
    problems: (set) => labelProblems(set, labels),
    target(example) {
      const label = rowLabel(example);
      return label === undefined ? undefined : { kind: "class", id: labels.idOf(label)! };
    },
  }),
  labels: () => input("labels", "int32", [batchDim]),
  loss: crossEntropy,
  metrics: classMetrics,
  measure: measureClasses,
  answer: classAnswer,
});
