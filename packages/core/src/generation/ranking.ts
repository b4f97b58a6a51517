/** Scores fall into as many ranges, by the first half of their bits. */
const ranges = 2 ** 16;

/**
 * The ids of the K highest scores by falling score, the first of equals in front, without those of −∞. Scores are counted
 * by ranges first, and only those of the ranges that are needed are sorted, so that a few of a large vocabulary cost its
 * length.
 *
 * @param scores [vocabulary], at most 2²¹
 */
export function highest(scores: Float32Array, K: number): Uint32Array {
  const bits = bitsOf(scores);
  const counts = new Uint32Array(ranges);
  for (let id = 0; id < scores.length; id++) counts[rangeOf(bits[id]!)]!++;
  const { range } = reached(counts, K);
  const ids: number[] = [];
  for (let id = 0; id < scores.length; id++) if (rangeOf(bits[id]!) <= range && isPossible(scores[id]!)) ids.push(id);
  return byFallingScore(ids, bits).subarray(0, K);
}

/**
 * Of ids with masses, where a higher score has a larger one, those of the highest scores that have the wanted mass
 * together, at least one, in no order.
 *
 * @param scores [vocabulary], at most 2²¹
 * @param masses [vocabulary], 0 for a score of −∞
 */
export function heaviest(scores: Float32Array, masses: Float64Array, wanted: number): Uint32Array {
  const bits = bitsOf(scores);
  const sums = new Float64Array(ranges);
  const places = new Uint16Array(scores.length);
  for (let id = 0; id < scores.length; id++) {
    const range = rangeOf(bits[id]!);
    places[id] = range;
    sums[range]! += masses[id]!;
  }
  const { range: border, before } = reached(sums, wanted);
  const ids = new Uint32Array(scores.length);
  let count = 0;
  const disputed: number[] = [];
  for (let id = 0; id < scores.length; id++) {
    if (places[id]! < border) ids[count++] = id;
    else if (places[id] === border && isPossible(scores[id]!)) disputed.push(id);
  }
  let sum = before;
  for (const id of byFallingScore(disputed, bits)) {
    if (count > 0 && sum >= wanted) break;
    sum += masses[id]!;
    ids[count++] = id;
  }
  return ids.subarray(0, count);
}

const bitsOf = (scores: Float32Array) => new Int32Array(scores.buffer, scores.byteOffset, scores.length);

const isPossible = (score: number): boolean => score > Number.NEGATIVE_INFINITY;

/** The first of equal scores in front. */
function byFallingScore(ids: readonly number[], bits: Int32Array): Uint32Array {
  const keys = Float64Array.from(ids, (id) => (rank(bits[id]!) + 2 ** 31) * bits.length + id);
  return Uint32Array.from(keys.sort(), (key) => key % bits.length);
}

/** A score's bits as a whole number of 32 bits that falls where scores rise; both zeros are one. */
const rank = (bits: number): number => (bits === -0x80000000 ? -1 : ~(bits ^ ((bits >> 31) & 0x7fffffff)));

/** The first half of a rank, from 0 on. */
const rangeOf = (bits: number): number => (rank(bits) >> 16) + ranges / 2;

/** The first range up to which amounts make up the wanted one, and what those in front of it make up. */
function reached(amounts: ArrayLike<number>, wanted: number): { readonly range: number; readonly before: number } {
  let [before, last, atLast] = [0, 0, 0];
  for (let range = 0; range < ranges; range++) {
    const amount = amounts[range] ?? 0;
    if (amount === 0) continue;
    if (before + amount >= wanted) return { range, before };
    [last, atLast] = [range, before];
    before += amount;
  }
  return { range: last, before: atLast };
}
