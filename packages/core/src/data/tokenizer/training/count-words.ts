import type { ToWords } from "../tokenizer-engine.ts";

/** How often each word was seen. */
export type WordCounts = ReadonlyMap<string, number>;

/** What is kept while texts stream by. */
interface CountingBounds {
  /** longer words, in UTF-16 units, are passed over: rulers of dashes, encoded pictures */
  readonly longestWord: number;
  /** with more words than these the rarest are forgotten; a few hundred megabytes at most */
  readonly distinctWords?: number;
}

/**
 * Counts the words of texts that stream by; nothing else of them stays in memory. The order of the texts plays no part
 * unless words had to be forgotten.
 */
export async function countWords(
  texts: AsyncIterable<string>,
  toWords: ToWords,
  { longestWord, distinctWords = 3_000_000 }: CountingBounds,
): Promise<WordCounts> {
  const counts = new Map<string, number>();
  for await (const text of texts) {
    for (const word of toWords(text)) {
      const count = counts.get(word);
      if (count !== undefined) counts.set(word, count + 1);
      else if (word.length <= longestWord) counts.set(copy(word), 1);
    }
    if (counts.size > distinctWords) forgetRarest(counts, distinctWords / 2);
  }
  return counts;
}

/** The same word in memory of its own: engines keep a whole text alive for the sake of a slice of it. */
function copy(word: string): string {
  return [...word].join("");
}

function forgetRarest(counts: Map<string, number>, keep: number): void {
  for (let rare = 1; counts.size > keep; rare *= 2) {
    for (const [word, count] of counts) if (count <= rare) counts.delete(word);
  }
}
