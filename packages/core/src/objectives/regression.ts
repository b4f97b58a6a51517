import { isNumber } from "../data/rows/cells.ts";
import { type ExampleSet, rowLabel } from "../data/rows/examples.ts";
import { mul } from "../graph/ops/mul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { sub } from "../graph/ops/sub.ts";
import { input } from "../graph/value.ts";
import { batchDim } from "../tensor/shape.ts";
import { total } from "./losses/total.ts";
import { pearson, spearman } from "./metrics/metrics.ts";
import { defineObjective, type Level, type Measuring } from "./objective.ts";

/** What is said of numbers and those that were foretold. */
export interface NumberMeasures {
  readonly pearson: number;
  readonly spearman: number;
}

/** One number for each text. Loss: the mean of (ŷ − y)² over rows, logits: [batch, 1]. */
export const regression = defineObjective({
  name: "regression",
  summary: "a number for each text",
  head: "classification",
  problemType: "regression",
  impliedBy: (labels) => labels === 1,
  peftTask: "SEQ_CLS",
  hasClasses: false,
  items: "rows",
  unlabelled: "refused",
  takes: { classWeights: false, labelSmoothing: false },
  targets: () => ({
    name: "regression",
    forms: ["row"],
    problems: namesAmong,
    target(example) {
      const label = rowLabel(example);
      return label === undefined ? undefined : { kind: "value", value: Number(label) };
    },
  }),
  levelOf,
  labels: () => input("labels", "float32", [batchDim]),
  loss(logits, labels) {
    const difference = sub(reshape(logits, labels.shape), labels);
    return total(mul(difference, difference));
  },
  metrics: [
    { name: "pearson", better: "higher" },
    { name: "spearman", better: "higher" },
  ],
  measure: measureNumbers,
  answer: ([score = 0]) => ({ score }),
});

/** Undefined where no label is a number. */
function levelOf({ examples }: ExampleSet): Level | undefined {
  let [count, sum, squares] = [0, 0, 0];
  for (const example of examples) {
    const label = rowLabel(example);
    if (!isNumber(label)) continue;
    const step = Number(label) - (count === 0 ? 0 : sum / count); // Welford 1962: squares of far numbers lose no digits
    count += 1;
    sum += Number(label);
    squares += step * (Number(label) - sum / count);
  }
  return count === 0 ? undefined : { mean: sum / count, deviation: Math.sqrt(squares / count) };
}

const namesAmong = (set: ExampleSet): readonly string[] =>
  set.examples.flatMap((example, index) => {
    const label = rowLabel(example);
    if (isNumber(label)) return [];
    const comma = typeof label === "string" && /^[+-]?\d+,\d+$/.test(label) ? "; write its comma as a point" : "";
    const none = typeof label === "string" && !comma ? '; leave its row out, or say `task: "classification"`' : "";
    return [
      `${set.placeOf(index)}: label ${JSON.stringify(label)} is no number, which regression needs${comma}${none}`,
    ];
  });

function measureNumbers(): Measuring<NumberMeasures> {
  const [predicted, actual] = [[] as number[], [] as number[]];
  return {
    add(logits, labels) {
      for (const value of logits.data) predicted.push(Number(value));
      for (const value of labels.data) actual.push(Number(value));
    },
    result: () => ({ pearson: pearson(predicted, actual), spearman: spearman(predicted, actual) }),
  };
}
