const entities = { "&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">" } as const;

/**
 * The words and marks of a text as BLEU counts them, by the rules of NIST's mteval-v13a, which sacrebleu calls `13a`
 * (Post 2018, arXiv:1804.08771, section 2): every ASCII mark stands alone, but apostrophes and hyphens, which do only
 * behind a digit; points and commas stand alone where they are not between digits. Case is kept.
 */
export function bleuTokens(text: string): readonly string[] {
  let line = text.trimEnd().replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ");
  for (const [entity, mark] of Object.entries(entities)) line = line.replaceAll(entity, mark);
  return ` ${line} `
    .replace(/[!-&(-+/:-@[-`{-~]/g, " $& ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])-/g, "$1 - ")
    .split(/\s+/)
    .filter((token) => token !== "");
}
