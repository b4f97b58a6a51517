/** How many of the likeliest tokens are asked for. */
interface Wanted {
  readonly topK: number | undefined;
  /** the probability that they have to have together, by softmax(scores / temperature) */
  readonly topP: number;
  readonly temperature: number;
}

interface Ranked {
  readonly ids: readonly number[];
  /** what all tokens weigh beside the likeliest one, where a probability is wanted */
  readonly mass: number | undefined;
}

/** Scores fall into as many ranges, by the first half of their bits. */
const ranges = 2 ** 16;

/**
 * The ids by falling score, the first of equals in front, without those of −∞: at least as many as are wanted. Scores are
 * counted by ranges first, and only those of the ranges that are needed are sorted, so that a few of a large vocabulary
 * cost its length.
 *
 * @param scores [vocabulary], at most 2²¹
 */
export function rankedIds(scores: Float32Array, wanted: Wanted): Ranked {
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  const counts = new Uint32Array(ranges);
  let best = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (!(score > Number.NEGATIVE_INFINITY)) continue;
    counts[rank(bits[id]!) >>> 16]!++;
    if (score > best) best = score;
  }
  const { last, mass } = lastRange(scores, bits, counts, best, wanted);
  let count = 0;
  for (let range = 0; range <= last; range++) count += counts[range]!;
  const keys = new Float64Array(count);
  let filled = 0;
  for (let id = 0; id < scores.length; id++) {
    const place = rank(bits[id]!);
    if (place >>> 16 > last || !(scores[id]! > Number.NEGATIVE_INFINITY)) continue;
    keys[filled++] = place * scores.length + id;
  }
  return { ids: Array.from(keys.sort(), (key) => key % scores.length), mass };
}

/** A score's bits as a whole number that falls where scores rise; both zeros are one. */
function rank(bits: number): number {
  if (bits === 0x80000000) return 0x7fffffff;
  return bits < 0x80000000 ? 0x7fffffff - bits : bits;
}

/** The range down to which the best scores are enough. */
function lastRange(
  scores: Float32Array,
  bits: Uint32Array,
  counts: Uint32Array,
  best: number,
  { topK, topP, temperature }: Wanted,
): { readonly last: number; readonly mass: number | undefined } {
  if (topK !== undefined) return { last: reached(counts, topK), mass: undefined };
  if (topP >= 1) return { last: ranges - 1, mass: undefined };
  const masses = new Float64Array(ranges);
  let all = 0;
  for (let id = 0; id < scores.length; id++) {
    if (!(scores[id]! > Number.NEGATIVE_INFINITY)) continue;
    const mass = Math.exp((scores[id]! - best) / temperature);
    masses[rank(bits[id]!) >>> 16]! += mass;
    all += mass;
  }
  // rounding may differ from that of a sum in another order
  return { last: reached(masses, topP * all * (1 + 1e-9)), mass: all };
}

/** The first range up to which amounts make up the wanted one. */
function reached(amounts: ArrayLike<number>, wanted: number): number {
  let sum = 0;
  for (let range = 0; range < ranges; range++) {
    sum += amounts[range] ?? 0;
    if (sum >= wanted) return range;
  }
  return ranges - 1;
}
