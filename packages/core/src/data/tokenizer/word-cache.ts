/** Words that are remembered; when there are more, all are forgotten, so that a corpus of many costs no memory. */
const mostWords = 65_536;
/** Longer words hardly come twice. */
const longestWord = 40;

/** A function of words that remembers what it gave for those that come often, as a text's words do. */
export function remembering<T>(work: (word: string) => T): (word: string) => T {
  const known = new Map<string, T>();
  return (word) => {
    if (word.length > longestWord) return work(word);
    const found = known.get(word);
    if (found !== undefined) return found;
    const made = work(word);
    if (known.size >= mostWords) known.clear();
    known.set(word, made);
    return made;
  };
}
