/**
 * Philox 4x32-10, a counter-based generator: a keyed bijection of 128-bit counters whose outputs pass BigCrush.
 * Writes the four words for (counter, key) into `out`, each 0 <= word < 2^32.
 * Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3.
 */
export function philox(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
): void {
  let [a, b, c, d] = [c0 | 0, c1 | 0, c2 | 0, c3 | 0];
  let [k, l] = [key0 | 0, key1 | 0];
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(0xd251, 0x1f53, a);
    const high1 = highProduct(0xcd9e, 0x8d57, c);
    const low0 = Math.imul(0xd2511f53, a);
    const low1 = Math.imul(0xcd9e8d57, c);
    a = high1 ^ b ^ k;
    b = low1;
    c = high0 ^ d ^ l;
    d = low0;
    k = (k + 0x9e3779b9) | 0;
    l = (l + 0xbb67ae85) | 0;
  }
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
}

/** The upper 32 bits of the 64-bit product of (high · 2^16 + low) and `word` as unsigned numbers. */
function highProduct(high: number, low: number, word: number): number {
  const wordLow = word & 0xffff;
  const wordHigh = word >>> 16;
  const middle = Math.imul(high, wordLow) + (Math.imul(low, wordLow) >>> 16);
  const carried = Math.imul(low, wordHigh) + (middle & 0xffff);
  return (Math.imul(high, wordHigh) + (middle >>> 16) + (carried >>> 16)) | 0;
}
