/** A share with the bounds between which it lies with 95 % confidence. */
export interface Share {
  readonly right: number;
  readonly of: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** 97.5th percentile of the standard normal distribution */
const z = 1.96;

/** Wilson's score interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22). `of` is above 0. */
export function shareOf(right: number, of: number): Share {
  const share = right / of;
  const denominator = 1 + z ** 2 / of;
  const centre = (share + z ** 2 / (2 * of)) / denominator;
  const half = (z * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2))) / denominator;
  return { right, of, share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** How many pairs of shares have intervals that overlap, of how many. */
export function overlaps(shares: readonly Share[]): { readonly overlapping: number; readonly pairs: number } {
  const pairs = shares.flatMap((a, i) => shares.slice(i + 1).map((b) => [a, b] as const));
  return { overlapping: pairs.filter(([a, b]) => a.low <= b.high && b.low <= a.high).length, pairs: pairs.length };
}
