import { random } from "../tensor/random.ts";

/** A number with the bounds between which it lies with 95 % confidence. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** What rows gave with one seed: a score is made of the chosen rows' outcomes. */
type Score = (rows: readonly number[], seed: number) => number;

const resamples = 2000;

/** How many rows and seeds there are. */
interface SampleSizes {
  readonly rows: number;
  readonly seeds: number;
}

/** A number with its interval, and how likely one as far from another number is by chance, two-sided. */
interface Tested extends Interval {
  readonly p: number;
}

/**
 * The mean over seeds of a score over rows, with an interval that covers both together: seeds and rows are drawn with
 * replacement, independently of one another, and the score is computed anew for each pair of draws (the pigeonhole
 * bootstrap, Owen 2007, arXiv:0712.1111, section 3); the bounds are percentiles. With one seed the interval is of the
 * rows alone, and without rows of the seeds alone. A difference of two scores that were measured on the same rows with
 * the same seeds is a score too, and so compared in pairs.
 *
 * p is twice the smaller share of resamples on either side of `against`, at least 2 / (resamples + 1)
 * (Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 15.4).
 */
export function bootstrap(score: Score, { rows, seeds }: SampleSizes, against = 0): Tested {
  const all = Array.from({ length: rows }, (_, row) => row);
  const mean = meanOver(Array.from({ length: seeds }, (_, seed) => score(all, seed)));
  const { integer } = random(0, "bootstrap");
  const drawn = Array.from({ length: resamples }, () => {
    const chosen = all.map(() => integer(rows));
    return meanOver(Array.from({ length: seeds }, () => score(chosen, integer(seeds))));
  }).sort((a, b) => a - b);
  const at = (share: number) => drawn[Math.round(share * (resamples - 1))] ?? mean;
  const sides = [
    drawn.filter((value) => value <= against).length,
    drawn.filter((value) => value >= against).length,
  ] as const;
  const p = Math.min(1, (2 * (Math.min(...sides) + 1)) / (resamples + 1));
  return { mean, low: Math.min(mean, at(0.025)), high: Math.max(mean, at(0.975)), p };
}

/** Holm's step-down correction (1979, Scand. J. Stat. 6): p-values that hold for all comparisons together, in their order. */
export function holm(values: readonly number[]): readonly number[] {
  const order = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const corrected = new Array<number>(values.length).fill(1);
  let largest = 0;
  for (const [rank, at] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (values.length - rank) * (values[at] ?? 1)));
    corrected[at] = largest;
  }
  return corrected;
}

/** The arithmetic mean; 0 of nothing. */
export const meanOver = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
