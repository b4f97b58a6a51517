/** The part of the library's models that cuts words into tokens. */
export interface WordModel {
  encode: (words: readonly string[]) => string[];
}

interface WordPieces {
  readonly known: ReadonlyMap<string, number>;
  readonly unknown: string;
  readonly continuation: string;
  /** longer words, in characters, are the unknown token */
  readonly longestWord: number;
}

/**
 * WordPiece's way to cut a word: always the longest token that goes on from where the last one ended; a word of which a
 * part is no token is unknown as a whole. No more characters are tried than the longest token has, so that a long word
 * costs its length times that.
 * Source: Devlin et al. 2018, arXiv:1810.04805; Wu et al. 2016, arXiv:1609.08144, section 4.1
 */
export function wordPieces({ known, unknown, continuation, longestWord }: WordPieces): WordModel["encode"] {
  let longest = 0;
  known.forEach((_, token) => {
    longest = Math.max(longest, token.length);
  });
  const cut = (word: string): readonly string[] => {
    const characters = [...word];
    if (characters.length > longestWord) return [unknown];
    const found: string[] = [];
    for (let start = 0; start < characters.length; ) {
      const prefix = start === 0 ? "" : continuation;
      let end = Math.min(characters.length, start + longest);
      const piece = () => prefix + characters.slice(start, end).join("");
      while (end > start && !known.has(piece())) end--;
      if (end === start) return [unknown];
      found.push(piece());
      start = end;
    }
    return found;
  };
  return (words) => words.flatMap(cut);
}
