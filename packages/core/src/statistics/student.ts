import { type Interval, meanOver } from "./bootstrap.ts";

/** 97.5th percentiles of Student's distribution with 1, 2, … degrees of freedom */
const percentiles = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086,
] as const;

/** The mean of at least two values with Student's 95 % interval (1908, Biometrika 6): mean ± t s / √n. */
export function studentInterval(values: readonly number[]): Interval {
  const mean = meanOver(values);
  const freedom = values.length - 1;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / freedom;
  const half = (percentiles[freedom - 1] ?? 2.086) * Math.sqrt(variance / values.length); // of more, a little wide
  return { mean, low: mean - half, high: mean + half };
}
