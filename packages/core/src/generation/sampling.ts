import type { Random } from "../tensor/random.ts";
import { heaviest, highest } from "./ranking.ts";
import { type Repetition, withoutRepetition } from "./repetition.ts";
import type { GenerationSettings } from "./settings.ts";

type Sampling = Repetition & Pick<GenerationSettings, "temperature" | "topK" | "topP">;

/** Tokens that may be drawn, in any order, each with its share of all. */
interface Candidates {
  readonly ids: Uint32Array;
  readonly shares: Float64Array;
}

/** The token behind a text by its logits: the likeliest one, or one of the candidates by chance. */
export function nextToken(logits: Float32Array, text: readonly number[], sampling: Sampling, random: Random): number {
  const { ids, shares } = candidates(logits, text, sampling);
  let rest = ids.length > 1 ? random.uniform() : 0;
  for (let at = 0; at < ids.length; at++) {
    rest -= shares[at]!;
    if (rest < 0) return ids[at]!;
  }
  return ids.at(-1) ?? 0;
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
  if (temperature === 0) return { ids: Uint32Array.of(best), shares: Float64Array.of(1) };
  const [peak, slope] = [scores[best]!, 1 / temperature];
  const massOf = (id: number) => Math.exp((scores[id]! - peak) * slope);
  if (topK !== undefined) {
    const ids = highest(scores, topK);
    const shares = inParts(nucleus(inParts(Float64Array.from(ids, massOf)), topP));
    return { ids: ids.subarray(0, shares.length), shares };
  }
  const masses = new Float64Array(scores.length);
  for (let id = 0; id < scores.length; id++) masses[id] = massOf(id);
  const ids = topP === 1 ? allOf(masses) : heaviest(scores, masses, topP * sumOf(masses));
  const kept = new Float64Array(ids.length);
  for (let at = 0; at < ids.length; at++) kept[at] = masses[ids[at]!]!;
  return { ids, shares: inParts(kept) };
}

function allOf({ length }: Float64Array): Uint32Array {
  const ids = new Uint32Array(length);
  for (let id = 0; id < length; id++) ids[id] = id;
  return ids;
}

/** The id of the largest score; the first of several. */
function likeliest(scores: Float32Array): number {
  let best = 0;
  for (let id = 1; id < scores.length; id++) if (scores[id]! > scores[best]!) best = id;
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
