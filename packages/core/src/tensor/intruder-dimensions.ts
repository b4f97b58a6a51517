/** How many of the tuned matrix's first left singular vectors are looked at. */
export const leadingDirections = 10;

/** The cosine below which a direction is foreign. */
const similar = 0.5;

/**
 * How many of W′'s ten largest left singular vectors have a cosine below 0.5 with every left singular vector of W: directions
 * that tuning has brought in from outside. |u′ᵢ · uⱼ| < 0.5 for all j, each vector up to a factor.
 * Source: Shuttleworth et al. 2024, arXiv:2410.21228, section 3 and algorithm 1.
 */
export const intruderDimensions = (leading: readonly Float64Array[], own: readonly Float64Array[]): number =>
  leading.filter((u) => own.every((other) => Math.abs(cosine(u, other)) < similar)).length;

/** The cosine of two vectors; 0 where one has no length. */
function cosine(a: Float64Array, b: Float64Array): number {
  let [along, first, second] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    along += a[i]! * b[i]!;
    first += a[i]! * a[i]!;
    second += b[i]! * b[i]!;
  }
  return along === 0 ? 0 : along / Math.sqrt(first * second);
}
