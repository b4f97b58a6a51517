import { type CountedWord, pairTable } from "./pair-table.ts";

/** A vocabulary, a token's place being its id, and the merges that made it grow, in order. */
export interface Learned {
  readonly tokens: readonly string[];
  readonly merges: readonly (readonly [left: string, right: string])[];
}

/**
 * Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909, section 3.2): the pair of tokens that stands most often
 * side by side becomes a token, again and again, until the vocabulary has `size` tokens or no word has two left. Ids
 * are given in order, so that of equally frequent pairs the one of the older tokens goes first.
 * @param words their ids are places in `alphabet`
 */
export function learnMerges(
  words: readonly CountedWord[],
  alphabet: readonly string[],
  size: number,
  join: (left: string, right: string) => string,
): Learned {
  const tokens = [...alphabet];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges = new Map<string, readonly [string, string]>();
  const pairs = pairTable(words, size);
  while (tokens.length < size) {
    const pair = pairs.mostFrequent();
    if (!pair) break;
    const [left, right] = [tokens[pair.left]!, tokens[pair.right]!];
    const token = join(left, right);
    const id = ids.get(token) ?? tokens.push(token) - 1; // two ways can lead to one token: a + bc, ab + c
    ids.set(token, id);
    merges.set(`${left} ${right}`, [left, right]); // one that is needed again, for such a token, keeps its place
    pairs.merge(pair, id);
  }
  return { tokens, merges: [...merges.values()] };
}
