/** A share with the bounds between which it lies with 95 % confidence. */
export interface Share {
  readonly share: number;
  readonly low: number;
  readonly high: number;
  readonly rows: number;
  readonly seeds: number;
}

/** 97.5th percentile of the standard normal distribution */
const z = 1.96;

/**
 * How much of a test is right, of answers [seeds][rows] that are right or not; each seed's training answers the same
 * rows. The interval is Wilson's score interval (1927, J. Am. Stat. Assoc. 22) of as many independent rows as would vary
 * as much as this mean over rows and seeds does:
 *
 *   V = σ²(rows' means) / rows + s²(seeds' means) / seeds,   independent rows = p (1 − p) / V, at most rows · seeds
 *
 * What is left over besides rows and seeds is counted in both terms, so V is rather too large than too small. One seed is
 * no measure of seeds: the interval is then of the rows alone, Wilson's own.
 */
export function shareRight(right: readonly (readonly boolean[])[]): Share {
  const seeds = right.length;
  const rows = right[0]?.length ?? 0;
  const bySeed = right.map((answers) => mean(answers.map(Number)));
  const byRow = Array.from({ length: rows }, (_, row) => mean(right.map((answers) => Number(answers[row]))));
  const share = mean(bySeed);
  const ofSeeds = seeds === 1 ? 0 : squares(bySeed) / (seeds - 1) / seeds;
  const variance = squares(byRow) / rows / rows + ofSeeds;
  const spread = share * (1 - share);
  const independent = spread === 0 ? rows : Math.min(rows * seeds, spread / variance);
  return { share, ...wilson(share, independent), rows, seeds };
}

/** Wilson's score interval of a share of `of` independent rows. */
function wilson(share: number, of: number): Pick<Share, "low" | "high"> {
  const denominator = 1 + z ** 2 / of;
  const centre = (share + z ** 2 / (2 * of)) / denominator;
  const half = (z * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2))) / denominator;
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The summed squares of the distances to the mean. */
function squares(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
}

/** How many pairs of shares have intervals that overlap, of how many. */
export function overlaps(shares: readonly Share[]): { readonly overlapping: number; readonly pairs: number } {
  const pairs = shares.flatMap((a, i) => shares.slice(i + 1).map((b) => [a, b] as const));
  return { overlapping: pairs.filter(([a, b]) => a.low <= b.high && b.low <= a.high).length, pairs: pairs.length };
}
