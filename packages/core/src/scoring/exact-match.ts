import { checkScorable, type ScoredText } from "./scored-text.ts";

/**
 * The share of texts whose answer is that of one of their references, 0 to 1. The answer is the whole text without the
 * blanks around it, or the last thing in it that a pattern finds: the pattern's first group, where it has one. Numbers
 * are equal by value: `$1,200` is `1200.00`. A text in which the pattern finds nothing is wrong.
 *
 * GSM8K's answers (Cobbe et al. 2021, arXiv:2110.14168, section 2) are found by `#### (.+)`.
 *
 * @throws InputError for no texts, and for one without a reference
 */
export function exactMatch(texts: readonly ScoredText[], answer?: RegExp): number {
  checkScorable(texts);
  const right = texts.filter(({ text, references }) => {
    const given = answerIn(text, answer);
    return given !== undefined && references.some((reference) => answerIn(reference, answer) === given);
  });
  return right.length / texts.length;
}

function answerIn(text: string, pattern: RegExp | undefined): string | undefined {
  if (!pattern) return plain(text);
  const everywhere = new RegExp(pattern, [...new Set(`${pattern.flags}g`)].join(""));
  const found = [...text.matchAll(everywhere)].at(-1);
  return found && plain(found[1] ?? found[0]);
}

/** A number in one way of writing it, everything else as it stands. */
function plain(answer: string): string {
  const trimmed = answer.trim();
  const number = /^(-?)\$?(-?)(\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)\.?$/.exec(trimmed);
  return number ? String(Number(`${number[1] || number[2]}${number[3]?.replaceAll(",", "")}`)) : trimmed;
}
