import type { Random } from "../tensor/random.ts";
import { rankedIds } from "./ranking.ts";
import { type Repetition, withoutRepetition } from "./repetition.ts";
import type { GenerationSettings } from "./settings.ts";

type Sampling = Repetition & Pick<GenerationSettings, "temperature" | "topK" | "topP">;

/** Tokens that may be drawn, the likeliest first, each with its share of all. */
interface Candidates {
  readonly ids: readonly number[];
  readonly shares: readonly number[];
}

/** The token behind a text by its logits: the likeliest one, or one of the candidates by chance. */
export function nextToken(logits: Float32Array, text: readonly number[], sampling: Sampling, random: Random): number {
  const { ids, shares } = candidates(logits, text, sampling);
  let rest = ids.length > 1 ? random.uniform() : 0;
  const index = shares.findIndex((share) => {
    rest -= share;
    return rest < 0;
  });
  return ids.at(index) ?? 0;
}

/**
 * What may come next. What repeats the text is made less likely first; then it is the likeliest token alone where the
 * temperature is 0, else the top K by softmax(logits / temperature), and of them the likeliest that have the
 * probability P together. The order of these steps is that of transformers.
 */
export function candidates(logits: Float32Array, text: readonly number[], sampling: Sampling): Candidates {
  const scores = withoutRepetition(logits, text, sampling);
  const { topK, topP, temperature = topK === undefined && topP === undefined ? 0 : 1 } = sampling;
  if (temperature === 0) return { ids: [likeliest(scores)], shares: [1] };
  const { ids, mass } = rankedIds(scores, { topK, topP: topP ?? 1, temperature });
  const few = ids.slice(0, topK ?? ids.length);
  const masses = few.map((id) => Math.exp((scores[id]! - scores[few[0]!]!) / temperature));
  const kept = inParts(nucleus(inParts(masses, mass), topP ?? 1));
  return { ids: few.slice(0, kept.length), shares: kept };
}

/** The id of the largest score; the first of several. */
function likeliest(scores: Float32Array): number {
  let best = 0;
  for (let id = 1; id < scores.length; id++) if (scores[id]! > scores[best]!) best = id;
  return best;
}

/** Of falling shares the first ones that make up P, at least one. */
function nucleus(shares: readonly number[], P: number): readonly number[] {
  if (P === 1) return shares;
  let before = 0;
  const end = shares.findIndex((share, i) => {
    const enough = i > 0 && before >= P;
    before += share;
    return enough;
  });
  return end < 0 ? shares : shares.slice(0, end);
}

/** Numbers as parts of their sum, or of another one. */
function inParts(numbers: readonly number[], sum = numbers.reduce((all, each) => all + each, 0)): readonly number[] {
  return numbers.map((each) => each / sum);
}
