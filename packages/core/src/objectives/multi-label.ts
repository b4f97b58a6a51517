import type { Example, ExampleSet, Label } from "../data/rows/examples.ts";
import { distinctLabels, type LabelMap, labelMap, labelProblems } from "../data/rows/labels.ts";
import { InputError } from "../errors.ts";
import { input } from "../graph/value.ts";
import { batchDim } from "../tensor/shape.ts";
import { sigmoid } from "./answers/probabilities.ts";
import { classesIn, countedClasses, listProblem } from "./labels/class-lists.ts";
import { binaryCrossEntropy } from "./losses/binary-cross-entropy.ts";
import { measureLabelSets, setMetrics } from "./metrics/set-measures.ts";
import { type Answer, defineObjective } from "./objective.ts";

/**
 * Any number of classes for each text. Loss: the mean over rows and labels of −y ln σ(x) − (1 − y) ln σ(−x), logits x:
 * [batch, labels], as torch's BCEWithLogitsLoss. A label is answered where σ(x) is above a half.
 */
export const multiLabel = defineObjective({
  name: "multi-label",
  summary: "any number of several classes for each text",
  head: "classification",
  problemType: "multi_label_classification",
  peftTask: "SEQ_CLS",
  hasClasses: true,
  items: "rows",
  unlabelled: "refused",
  takes: { classWeights: false, labelSmoothing: false },
  learn: learnSets,
  targets: (labels) => ({
    name: "multi-label",
    forms: ["names", "list"],
    hint: "give lists of labels, or a cell with several and `labelSeparator`",
    problems: (set) => (set.examples[0]?.kind === "tokens" ? listProblems(set, labels) : labelProblems(set, labels)),
    target(example) {
      const ids = idsOf(example, labels);
      if (!ids) return undefined;
      const has = new Float32Array(labels.names.length);
      for (const id of ids) has[id] = 1;
      return { kind: "classes", has };
    },
  }),
  labels: (outputs) => input("labels", "float32", [batchDim, outputs]),
  loss: (logits, labels) => binaryCrossEntropy(logits, labels, Number(logits.shape.at(-1))),
  metrics: setMetrics,
  measure: measureLabelSets,
  answer: likelyLabels,
});

/** The classes of rows that bring none: their names, or their numbers where rows come as tokens. */
function learnSets(set: ExampleSet): LabelMap {
  const count = set.examples[0]?.kind === "tokens" ? countedClasses(set) : undefined;
  const map = labelMap(count === undefined ? distinctLabels(set) : Array.from({ length: count }, (_, id) => id));
  if (map.names.length > 0) return map;
  throw new InputError(`${set.name}: no row has a label`);
}

function listProblems(set: ExampleSet, { names }: LabelMap): readonly string[] {
  return set.examples.flatMap((example, index) => {
    const problem = example.kind === "tokens" && example.labels && listProblem(example.labels, names.length);
    return problem ? [`${set.placeOf(index)}: ${problem}`] : [];
  });
}

function idsOf(example: Example, labels: LabelMap): readonly number[] | undefined {
  if (example.kind === "tokens") return example.labels && classesIn(example.labels, labels.names.length);
  return example.kind === "text" ? example.labels?.map((label) => labels.idOf(label)!) : undefined;
}

function likelyLabels(logits: Float32Array, labels: readonly Label[]): Answer {
  const scores = labels.map((label, id) => [label, sigmoid(logits[id] ?? 0)] as const);
  return {
    labels: scores.flatMap(([label, score]) => (score > 0.5 ? [label] : [])),
    scores: Object.fromEntries(scores.map(([label, score]) => [String(label), score])),
  };
}
