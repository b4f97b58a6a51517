import type { Label } from "../../data/rows/examples.ts";
import type { HostTensor } from "../../tensor/host-tensor.ts";
import { argmax, softmax } from "../answers/probabilities.ts";
import type { Measuring, Metric } from "../objective.ts";
import { type ClassScore, calibrationError, classScores, confusion, majority, wilsonInterval } from "./class-report.ts";
import { accuracy, f1Macro, matthews } from "./metrics.ts";

/** What is said of items that have one class each. */
export interface ClassMeasures {
  /** the share of items whose class is the likeliest */
  readonly accuracy: number;
  readonly f1_macro: number;
  readonly matthews: number;
  /** 95 %, Wilson's */
  readonly accuracy_interval: readonly [low: number, high: number];
  readonly calibration_error: number;
  /** the most frequent label, and the accuracy of always answering it */
  readonly majority: { readonly label: Label; readonly accuracy: number };
  /** in the order of the ids */
  readonly per_class: readonly ClassScore[];
  /** rows are true classes, columns predicted ones; left out of heads with more than a thousand classes */
  readonly confusion?: readonly (readonly number[])[];
}

export const classMetrics: readonly Metric[] = [
  { name: "accuracy", better: "higher" },
  { name: "f1_macro", better: "higher" },
  { name: "matthews", better: "higher" },
  { name: "calibration_error", better: "lower" },
];

/** A matrix of more numbers than this helps nobody. */
const mostClasses = 1000;

/** Measures items of logits [..., classes] by their labels, int32 [...]; items whose label is below 0 count for nothing. */
export function measureClasses(labels: readonly Label[]): Measuring<ClassMeasures> {
  const items = { predicted: [] as number[], actual: [] as number[], confidence: [] as number[] };
  return {
    add(logits, actual) {
      const { classes, of } = logitsByItem(logits);
      for (const [item, label] of actual.data.entries()) {
        if (Number(label) < 0) continue;
        const probabilities = softmax(of(item));
        const best = argmax(of(item));
        items.actual.push(Number(label));
        items.predicted.push(best);
        items.confidence.push(probabilities[best] ?? 1 / classes);
      }
    },
    result() {
      const right = accuracy(items);
      return {
        accuracy: right,
        f1_macro: f1Macro(items),
        matthews: matthews(items),
        accuracy_interval: wilsonInterval(right, items.actual.length),
        calibration_error: calibrationError(items),
        majority: majority(items, labels),
        per_class: classScores(items, labels),
        ...(labels.length <= mostClasses && { confusion: confusion(items, labels.length) }),
      };
    },
  };
}

/** The logits of each item of a batch. */
export function logitsByItem({ data, shape }: HostTensor): {
  readonly classes: number;
  of(item: number): Float32Array;
} {
  const classes = Number(shape.at(-1) ?? 1);
  const values = data instanceof Float32Array ? data : Float32Array.from(data, Number);
  return { classes, of: (item) => values.subarray(item * classes, (item + 1) * classes) };
}
