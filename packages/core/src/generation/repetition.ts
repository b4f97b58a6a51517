import type { GenerationSettings } from "./settings.ts";

export type Repetition = Pick<GenerationSettings, "repetitionPenalty" | "noRepeatNgramSize">;

/**
 * Scores of the next token (logits or log-probabilities) with less for what the text holds already: tokens that are there
 * become less likely, and one that would repeat an n-gram impossible. `text` is what is not to be repeated, its end the
 * text's end. The order of both is that of transformers.
 */
export function withoutRepetition(
  scores: Float32Array,
  text: readonly number[],
  { repetitionPenalty, noRepeatNgramSize }: Repetition,
): Float32Array {
  const fewer = penalised(scores, text, repetitionPenalty);
  return noRepeatNgramSize === undefined ? fewer : withoutNgrams(fewer, text, noRepeatNgramSize);
}

/** Positive scores of tokens that are there already divided by the penalty, negative ones times it. */
function penalised(scores: Float32Array, text: readonly number[], penalty: number): Float32Array {
  if (penalty === 1) return scores;
  const changed = scores.slice();
  for (const id of new Set(text)) {
    const score = scores[id]!;
    changed[id] = score < 0 ? score * penalty : score / penalty;
  }
  return changed;
}

/** −∞ for every token that followed the text's last size − 1 tokens before (Paulus et al. 2017, arXiv:1705.04304, section 2.5). */
function withoutNgrams(scores: Float32Array, text: readonly number[], size: number): Float32Array {
  const changed = scores.slice();
  const begun = text.slice(text.length - size + 1);
  for (let end = size - 1; end < text.length; end++) {
    if (begun.every((id, i) => text[end - size + 1 + i] === id)) changed[text[end]!] = Number.NEGATIVE_INFINITY;
  }
  return changed;
}
