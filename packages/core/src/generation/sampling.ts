import { RunError } from "../errors.ts";
import { exponential } from "../tensor/portable-math.ts";
import type { Random } from "../tensor/random.ts";
import { heaviest, highest } from "./ranking.ts";
import { type Repetition, withoutRepetition } from "./repetition.ts";
import type { GenerationSettings } from "./settings.ts";

type Sampling = Repetition & Pick<GenerationSettings, "temperature" | "topK" | "topP">;

/** Tokens that may be drawn, in any order; each one's share of all is its mass over the masses' sum. */
interface Candidates {
  /** undefined: every token, in order */
  readonly ids: Uint32Array | undefined;
  readonly masses: Float64Array;
}

/** The token behind a text by its logits: the likeliest one, or one of the candidates by chance. */
export function nextToken(logits: Float32Array, text: readonly number[], sampling: Sampling, random: Random): number {
  const { ids, masses } = candidates(logits, text, sampling);
  const count = masses.length;
  const sum = sumOf(masses);
  let rest = count > 1 ? random.uniform() : 0;
  let at = 0;
  for (; at < count - 1; at++) {
    rest -= masses[at]! / sum;
    if (rest < 0) break;
  }
  return ids ? ids[at]! : at;
}

/**
 * What may come next. What repeats the text is made less likely first; then it is the likeliest token alone where the
 * temperature is 0, else the top K by softmax(logits / temperature), and of them the likeliest that have the
 * probability P together. The order of these steps is that of transformers.
 */
export function candidates(logits: Float32Array, text: readonly number[], sampling: Sampling): Candidates {
  const scores = withoutRepetition(logits, text, sampling);
  const { topK, topP = 1, temperature = topK === undefined && sampling.topP === undefined ? 0 : 1 } = sampling;
  const best = likeliest(scores);
  if (temperature === 0) return { ids: Uint32Array.of(best), masses: Float64Array.of(1) };
  const [peak, slope] = [scores[best]!, 1 / temperature];
  const massOf = (id: number) => exponential((scores[id]! - peak) * slope);
  if (topK !== undefined) {
    const ids = highest(scores, topK);
    const masses = nucleus(inParts(Float64Array.from(ids, massOf)), topP);
    return { ids: ids.subarray(0, masses.length), masses };
  }
  const masses = new Float64Array(scores.length);
  for (let id = 0; id < scores.length; id++) masses[id] = massOf(id);
  if (topP === 1) return { ids: undefined, masses };
  const ids = heaviest(scores, masses, topP * sumOf(masses));
  const kept = new Float64Array(ids.length);
  for (let at = 0; at < ids.length; at++) kept[at] = masses[ids[at]!]!;
  return { ids, masses: kept };
}

/** The id of the largest score; the first of several. @throws RunError where one is NaN, which is larger than none */
function likeliest(scores: Float32Array): number {
  let best = 0;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (Number.isNaN(score)) throw new RunError("a logit is NaN");
    if (score > scores[best]!) best = id;
  }
  return best;
}

/** Of falling shares the first ones that make up P, at least one. */
function nucleus(shares: Float64Array, P: number): Float64Array {
  if (P === 1) return shares;
  let before = 0;
  const end = shares.findIndex((share, i) => {
    const enough = i > 0 && before >= P;
    before += share;
    return enough;
  });
  return end < 0 ? shares : shares.subarray(0, end);
}

function sumOf(numbers: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i]!;
  return sum;
}

/** Numbers as parts of their sum. */
function inParts(numbers: Float64Array): Float64Array {
  const sum = sumOf(numbers);
  const parts = new Float64Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) parts[i] = numbers[i]! / sum;
  return parts;
}
