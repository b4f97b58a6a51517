/** Up to this size the greatest one is measured too: a method's measure may fall again where a matrix is no longer cut in two. */
const wholeRange = 1024;

/**
 * The largest whole number from 1 to `limit` whose measure does not exceed `most`; undefined where not even 1 fits.
 * Measures grow with the number, most of them in proportion: the next number to try lies on the line through the two
 * that are known, and every third time in the middle between one that fits and one that does not.
 */
export function largestWithin(limit: number, most: number, measure: (size: number) => number): number | undefined {
  const at = (size: number) => ({ size, measured: measure(size) });
  const first = at(1);
  if (limit === 1) return first.measured <= most ? 1 : undefined;
  if (limit <= wholeRange && measure(limit) <= most) return limit;
  if (first.measured > most) return undefined;
  let [low, high] = [first, at(2)];
  while (high.measured <= most) {
    if (high.size === limit) return limit;
    const size = Math.min(limit, Math.max(high.size + 1, onLine(low, high, most) + 1));
    [low, high] = [high, at(size)];
  }
  for (let round = 1; high.size - low.size > 1; round++) {
    const guess = round % 3 === 0 ? Math.floor((low.size + high.size) / 2) : onLine(low, high, most);
    const tried = at(Math.min(high.size - 1, Math.max(low.size + 1, guess)));
    if (tried.measured <= most) low = tried;
    else high = tried;
  }
  return low.size;
}

interface Point {
  readonly size: number;
  readonly measured: number;
}

/** The last whole number at which the line through two points is not above `most`; the second one's where it does not rise. */
function onLine(a: Point, b: Point, most: number): number {
  const slope = (b.measured - a.measured) / (b.size - a.size);
  return slope > 0 ? Math.floor(a.size + (most - a.measured) / slope) : 2 * b.size;
}
