import { checkScorable, type ScoredText } from "./scored-text.ts";

/**
 * ROUGE-L (Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", section 3.1), the mean over texts, 0 to 1:
 * 2PR / (P + R) with P = lcs / words of the text, R = lcs / words of the reference, and lcs the longest common subsequence
 * of words; of several references the best. Words are runs of ASCII letters and digits in lower case, without stemming,
 * as in the package rouge-score.
 *
 * @throws InputError for no texts, and for one without a reference
 */
export function rougeL(texts: readonly ScoredText[]): number {
  checkScorable(texts);
  const scores = texts.map(({ text, references }) => {
    const words = rougeWords(text);
    return Math.max(...references.map((reference) => harmonic(words, rougeWords(reference))));
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

const rougeWords = (text: string): readonly string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

/** The harmonic mean of precision and recall, 2 lcs / (words of both). */
function harmonic(a: readonly string[], b: readonly string[]): number {
  return a.length === 0 || b.length === 0 ? 0 : (2 * longestCommonSubsequence(a, b)) / (a.length + b.length);
}

/** The length of the longest list of words that both have in this order, by a table of which one row is kept. */
function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  const row = new Uint32Array(b.length + 1);
  for (const word of a) {
    let diagonal = 0;
    for (let i = 1; i <= b.length; i++) {
      const above = row[i] ?? 0;
      row[i] = word === b[i - 1] ? diagonal + 1 : Math.max(above, row[i - 1] ?? 0);
      diagonal = above;
    }
  }
  return row[b.length] ?? 0;
}
