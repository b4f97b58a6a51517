/**
 * Elementary functions from additions, multiplications and divisions alone. IEEE 754 fixes those to the last bit,
 * while Math.exp, Math.log, Math.cos and Math.sin may differ from engine to engine; so a number drawn by these
 * is the same in Node and in every browser.
 */

/** ln(n) of an integer 0 < n < 2^53, within 1e-15 relative error. */
export function logarithm(n: number): number {
  let exponent = n > 0xffffffff ? 63 - Math.clz32(n / 2 ** 32) : 31 - Math.clz32(n);
  let fraction = n / (exponent < 30 ? 1 << exponent : 0x40000000 * (1 << (exponent - 30)));
  if (fraction > Math.SQRT2) {
    fraction /= 2;
    exponent += 1;
  }
  // ln f = 2 artanh(s) = 2 s (1 + s²/3 + s⁴/5 + …) with s = (f - 1) / (f + 1), |s| < 0.172
  const s = (fraction - 1) / (fraction + 1);
  const q = s * s;
  const artanh =
    1 +
    q *
      (1 / 3 +
        q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11 + q * (1 / 13 + q * (1 / 15 + q * (1 / 17 + q / 19))))))));
  return exponent * Math.LN2 + 2 * s * artanh;
}

/** Steps in which a power of two is looked up. */
const steps = 256;
/** ln(2) / steps: its first 32 bits, which times any whole number below 2²¹ is exact, and the rest, beyond Math.LN2's too. */
const stepHigh = Math.round((Math.LN2 / steps) * 2 ** 40) / 2 ** 40;
const stepLow = Math.LN2 / steps - stepHigh + 2.3190468138462996e-17 / steps;
/** 2^(j / steps), and 2^-k down to 0. */
const roots = Float64Array.from({ length: steps }, (_, j) => series((j * Math.LN2) / steps));
const halvings = new Float64Array(1077);
for (let k = 0, power = 1; k < halvings.length; k++, power /= 2) halvings[k] = power;

/** 1 + x + x²/2 + x³/6 + … for 0 <= x < 0.7; the first omitted term is below 1e-19. */
function series(x: number): number {
  let sum = 1;
  for (let n = 18; n > 0; n--) sum = 1 + (x / n) * sum;
  return sum;
}

/**
 * e^x of x <= 0, within 1e-15 relative error where that is no denormal number: 2^(n / 256) e^r with |r| < 0.0014, of which
 * the first omitted term is below 5e-17. A third of the time that Math.exp takes.
 */
export function exponential(x: number): number {
  if (x < -745.14) return 0;
  const n = (x * (steps / Math.LN2) - 0.5) | 0;
  const r = x - n * stepHigh - n * stepLow;
  const power = halvings[-(n >> 8)]! * roots[n & (steps - 1)]!;
  return power * (1 + r * (1 + (r / 2) * (1 + (r / 3) * (1 + r / 4))));
}

/** cos(2π · turn / 2^32) of an integer 0 <= turn < 2^32, within 1e-15. */
export function cosineOfTurn(turn: number): number {
  const quarter = ((turn + 0x20000000) >>> 30) & 3; // the nearest quarter of the circle
  const angle = ((turn - quarter * 0x40000000) | 0) * ((2 * Math.PI) / 2 ** 32); // from there, at most π/4
  if (quarter === 0) return cosine(angle);
  if (quarter === 1) return -sine(angle);
  return quarter === 2 ? -cosine(angle) : sine(angle);
}

/** sin(2π · turn / 2^32) of an integer 0 <= turn < 2^32, within 1e-15. */
export function sineOfTurn(turn: number): number {
  return cosineOfTurn((turn - 0x40000000) >>> 0);
}

/** Taylor series for |x| <= π/4; the first omitted term is below 3e-18. */
function cosine(x: number): number {
  const q = -x * x;
  return (
    1 +
    (q / 2) *
      (1 +
        (q / 12) * (1 + (q / 30) * (1 + (q / 56) * (1 + (q / 90) * (1 + (q / 132) * (1 + (q / 182) * (1 + q / 240)))))))
  );
}

/** Taylor series for |x| <= π/4; the first omitted term is below 5e-17. */
function sine(x: number): number {
  const q = -x * x;
  return (
    x *
    (1 + (q / 6) * (1 + (q / 20) * (1 + (q / 42) * (1 + (q / 72) * (1 + (q / 110) * (1 + (q / 156) * (1 + q / 210)))))))
  );
}
