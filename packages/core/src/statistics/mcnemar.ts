/**
 * McNemar's exact test (1947, Psychometrika 12): how likely discordant pairs as uneven as these are where both sides are
 * as good, two-sided. Of n rows that one alone has right, k of them the rarer side,
 *
 *   p = min(1, 2 Σᵢ₌₀ᵏ C(n, i) / 2ⁿ)
 *
 * Rows that both have right, or both wrong, say nothing. Without any others p is 1.
 */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  const k = Math.min(onlyFirst, onlySecond);
  let [term, sum] = [-n * Math.LN2, 0]; // of logarithms, since 2⁻ⁿ soon is below every number
  for (let i = 0; i <= k; i++) {
    sum += Math.exp(term);
    term += Math.log((n - i) / (i + 1));
  }
  return Math.min(1, 2 * sum);
}
