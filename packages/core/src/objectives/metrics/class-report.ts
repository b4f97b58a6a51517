import type { Label } from "../../data/rows/examples.ts";
import type { Classified } from "./metrics.ts";

/** How a class fares. Each number is 0 where it is undefined. */
export interface ClassScore {
  readonly label: Label;
  /** right ones among those that were answered */
  readonly precision: number;
  /** right ones among those that have the label */
  readonly recall: number;
  /** 2 · precision · recall / (precision + recall) */
  readonly f1: number;
  /** how many items have the label */
  readonly support: number;
}

/** Each class in the order of the ids, also those that no item has. */
export function classScores({ predicted, actual }: Classified, labels: readonly Label[]): readonly ClassScore[] {
  const [right, answered, support] = [counter(labels), counter(labels), counter(labels)];
  for (let item = 0; item < actual.length; item++) {
    const [a, p] = [actual[item] ?? -1, predicted[item] ?? -1];
    if (a === p) increment(right, a);
    increment(answered, p);
    increment(support, a);
  }
  return labels.map((label, id) => ({
    label,
    ...classScore({ right: right[id] ?? 0, answered: answered[id] ?? 0, support: support[id] ?? 0 }),
  }));
}

/** Precision, recall and F1 of counts; 0 where undefined. */
export function classScore(counts: { readonly right: number; readonly answered: number; readonly support: number }) {
  const { right, answered, support } = counts;
  const share = (whole: number) => (whole === 0 ? 0 : right / whole);
  const both = answered + support;
  return { precision: share(answered), recall: share(support), f1: both === 0 ? 0 : (2 * right) / both, support };
}

const counter = (labels: readonly Label[]) => new Float64Array(labels.length);
const increment = (counts: Float64Array, id: number) => {
  counts[id] = (counts[id] ?? 0) + 1;
};

/** How often each class was taken for each: rows are true classes, columns predicted ones. */
export function confusion({ predicted, actual }: Classified, classes: number): readonly (readonly number[])[] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let item = 0; item < actual.length; item++) {
    const row = counts[actual[item] ?? -1];
    const column = predicted[item] ?? -1;
    if (row?.[column] !== undefined) row[column]++;
  }
  return counts;
}

/** The most frequent label, the first of several, and the accuracy of always answering it. */
export function majority({ actual }: Pick<Classified, "actual">, labels: readonly Label[]) {
  const counts = counter(labels);
  for (let item = 0; item < actual.length; item++) increment(counts, actual[item] ?? -1);
  const most = counts.reduce((best, count, id) => (count > (counts[best] ?? 0) ? id : best), 0);
  return { label: labels[most] ?? "", accuracy: (counts[most] ?? 0) / actual.length };
}

/** 97.5 % of the standard normal distribution lie below it. */
const z = 1.959963984540054;

/**
 * The 95 % interval of a share p of n items (Wilson 1927, J. Am. Stat. Assoc. 22):
 * (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)
 */
export function wilsonInterval(p: number, n: number): readonly [low: number, high: number] {
  const squared = (z * z) / n;
  const middle = p + squared / 2;
  const spread = z * Math.sqrt((p * (1 - p)) / n + squared / (4 * n));
  const [low, high] = [(middle - spread) / (1 + squared), (middle + spread) / (1 + squared)];
  return [p === 0 ? 0 : low, p === 1 ? 1 : high]; // where rounding would leave a trace
}

const bins = 10;

/**
 * How far confidence is from being right (Guo et al. 2017, arXiv:1706.04599, section 2):
 * Σ over ten equal bins of the top score, each with its right end, of share of items · |accuracy − mean score|
 */
export function calibrationError({
  predicted,
  actual,
  confidence,
}: Classified & { readonly confidence: ArrayLike<number> }): number {
  const gaps = new Float64Array(bins);
  for (let item = 0; item < actual.length; item++) {
    const score = confidence[item] ?? 0;
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(score * bins) - 1));
    gaps[bin] = (gaps[bin] ?? 0) + (predicted[item] === actual[item] ? 1 : 0) - score;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / actual.length;
}
