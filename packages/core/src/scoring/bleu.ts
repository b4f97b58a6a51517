import { bleuTokens } from "./bleu-tokens.ts";
import { checkScorable, type ScoredText } from "./scored-text.ts";

/** The longest runs of words that are compared. */
const orders = 4;

export interface BleuOptions {
  /** whether case is left out of it, as by E2E's own scorer; it counts where this is left out */
  readonly lowercase?: boolean | undefined;
}

/** Corpus BLEU and what it is made of. */
export interface Bleu {
  /** 0 to 100 */
  readonly score: number;
  /** the share of runs of 1, 2, 3 and 4 words that a reference has, 0 to 100 */
  readonly precisions: readonly number[];
  /** 1 where the texts are as long as their references, less where they are shorter */
  readonly brevityPenalty: number;
  /** words of the texts */
  readonly length: number;
  /** words of the references, of each text the one that is nearest in length */
  readonly referenceLength: number;
}

/**
 * BLEU of a corpus (Papineni et al. 2002, ACL, section 2): brevity penalty times the geometric mean of the precisions of
 * runs of one to four words, matches and lengths being summed over all texts first. A text's run counts as often as the
 * reference that has it most often. As sacrebleu computes it by default (`case:mixed|tok:13a|smooth:exp`; `case:lc` with `lowercase`): of two
 * references that are equally near in length the shorter counts, and the k-th precision without a match is taken as
 * 1 / (2ᵏ · runs) (Chen and Cherry 2014, WMT, method 3); without any match the score is 0.
 *
 * @throws InputError for no texts, and for one without a reference
 */
export function corpusBleu(texts: readonly ScoredText[], { lowercase = false }: BleuOptions = {}): Bleu {
  checkScorable(texts);
  const wordsOf = (text: string) => bleuTokens(lowercase ? text.toLowerCase() : text);
  const matches = new Array<number>(orders).fill(0);
  const runs = new Array<number>(orders).fill(0);
  let [length, referenceLength] = [0, 0];
  for (const { text, references } of texts) {
    const words = wordsOf(text);
    const right = references.map(wordsOf);
    length += words.length;
    referenceLength += nearest(right, words.length);
    for (let order = 1; order <= orders; order++) {
      matches[order - 1]! += commonRuns(words, right, order);
      runs[order - 1]! += Math.max(0, words.length - order + 1);
    }
  }
  const precisions = smoothed(matches, runs);
  const brevityPenalty = length >= referenceLength ? 1 : length === 0 ? 0 : Math.exp(1 - referenceLength / length);
  const logs = precisions.reduce((sum, precision) => sum + Math.log(precision), 0);
  return { score: brevityPenalty * Math.exp(logs / orders), precisions, brevityPenalty, length, referenceLength };
}

/** How long the reference is that is nearest to a length, the shorter of two. */
function nearest(references: readonly (readonly string[])[], length: number): number {
  const distance = (other: number) => Math.abs(other - length);
  return references
    .map((reference) => reference.length)
    .reduce((best, other) =>
      distance(other) < distance(best) || (distance(other) === distance(best) && other < best) ? other : best,
    );
}

/** How many runs of some words a text shares with its references. */
function commonRuns(words: readonly string[], references: readonly (readonly string[])[], order: number): number {
  const most = new Map<string, number>();
  for (const reference of references)
    for (const [run, count] of countRuns(reference, order)) most.set(run, Math.max(count, most.get(run) ?? 0));
  let common = 0;
  for (const [run, count] of countRuns(words, order)) common += Math.min(count, most.get(run) ?? 0);
  return common;
}

/** How often each run of `order` words occurs; words hold no blanks. */
function countRuns(words: readonly string[], order: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let start = 0; start + order <= words.length; start++) {
    const run = words.slice(start, start + order).join(" ");
    counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return counts;
}

/** Precisions in hundredths; 0 where nothing matches at all, or the texts have no runs of that order. */
function smoothed(matches: readonly number[], runs: readonly number[]): readonly number[] {
  let without = 0;
  return matches.map((match, order) => {
    const all = runs[order] ?? 0;
    if (all === 0 || matches[0] === 0) return 0;
    if (match === 0) without++;
    return (100 * (match || 1 / 2 ** without)) / all;
  });
}
