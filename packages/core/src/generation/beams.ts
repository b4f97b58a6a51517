import type { GenerationSettings } from "./settings.ts";

/** A text of the search: its new tokens, and the sum of their log-probabilities. */
export interface Beam {
  readonly ids: readonly number[];
  readonly score: number;
  /** which of the beams before it continues */
  readonly from: number;
}

/** Where the search for one text stands. */
export interface Beams {
  /** texts under way, the likeliest first */
  readonly running: readonly Beam[];
  /** texts that have ended, the best first */
  readonly ended: readonly Beam[];
  /** whether nothing better is looked for */
  readonly done: boolean;
}

/** What a search goes by. */
export interface SearchRules extends Pick<GenerationSettings, "beams" | "lengthPenalty" | "earlyStopping"> {
  /** new tokens at most */
  readonly most: number;
  /** how many tokens end a text */
  readonly endings: number;
  /** whether new tokens are a text that has ended */
  ends(ids: readonly number[]): boolean;
}

/** Where every search begins: one text without a new token. */
export const begunBeams: Beams = { running: [{ ids: [], score: 0, from: 0 }], ended: [], done: false };

/**
 * One more token. Of all texts that are one token longer, the best that haven't ended run on; those that have, and are
 * among the best, are kept by the mean of their log-probabilities, score / tokens^lengthPenalty.
 * scores: [vocabulary] for each running beam, log-probabilities of its next token.
 *
 * transformers' beam search: as many candidates are looked at as make sure that enough of them haven't ended, and the
 * search ends by `earlyStopping`: true with as many ended texts as beams, false where the likeliest running text is
 * worse than the worst of those by the mean of the tokens that it has, "never" where it would be so at any length.
 */
export function advance({ running, ended }: Beams, scores: readonly Float32Array[], rules: SearchRules): Beams {
  const { beams, endings, ends } = rules;
  const candidates = longer(running, scores, beams * Math.max(2, 1 + endings));
  const ending = candidates.map(({ ids }) => ends(ids));
  const next = candidates.filter((_, i) => !ending[i]).slice(0, beams);
  // where no token may follow, texts end as they are
  const whole = candidates.length === 0 ? running : candidates.slice(0, beams).filter((_, i) => ending[i]);
  const best = [...ended, ...whole].sort((a, b) => value(b, rules) - value(a, rules)).slice(0, beams);
  return { running: next, ended: best, done: next.length === 0 || isSettled(next[0], best, rules) };
}

/** What texts are compared by, whatever their lengths (Wu et al. 2016, arXiv:1609.08144, section 7). */
const value = ({ score, ids }: Beam, { lengthPenalty = 1 }: SearchRules): number => score / ids.length ** lengthPenalty;

/** Whether texts that have ended are as many as beams, and no running one is expected to become better than they are. */
function isSettled(likeliest: Beam | undefined, ended: readonly Beam[], rules: SearchRules): boolean {
  const { beams, most, lengthPenalty = 1, earlyStopping = false } = rules;
  const worst = ended[beams - 1];
  if (!worst || !likeliest || earlyStopping === true) return worst !== undefined;
  const length = earlyStopping === "never" && lengthPenalty > 0 ? most : likeliest.ids.length;
  return likeliest.score / length ** lengthPenalty <= value(worst, rules);
}

/** The best texts that are one token longer, the likeliest first. */
function longer(running: readonly Beam[], scores: readonly Float32Array[], count: number): readonly Beam[] {
  const found: { from: number; id: number; score: number }[] = [];
  for (const [from, beam] of running.entries()) {
    scores[from]?.forEach((more, id) => {
      const score = beam.score + more;
      const worst = found.length < count ? Number.NEGATIVE_INFINITY : found[count - 1]!.score;
      if (score <= worst) return;
      const place = found.findIndex((other) => other.score < score);
      found.splice(place < 0 ? found.length : place, 0, { from, id, score });
      if (found.length > count) found.pop();
    });
  }
  return found.map(({ from, id, score }) => ({ ids: [...(running[from]?.ids ?? []), id], score, from }));
}
