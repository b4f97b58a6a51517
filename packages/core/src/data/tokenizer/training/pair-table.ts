import { priorityQueue } from "./priority-queue.ts";

/** A word as ids of tokens, and how often it was seen. */
export interface CountedWord {
  readonly ids: readonly number[];
  readonly count: number;
}

/** Two tokens that stand side by side in some words. */
interface Pair {
  readonly left: number;
  readonly right: number;
}

/** The pairs of neighbours in all words, with exact counts that follow every merge. */
interface PairTable {
  /** The pair seen most often, among equals the one with the smaller left id, then the smaller right one. */
  mostFrequent(): Pair | undefined;
  /** Puts one token in place of a pair, wherever it stands. */
  merge(pair: Pair, id: number): void;
}

interface CountedPair extends Pair {
  count: number;
  /** indices of all words that the pair stands in, and of some where it no longer does */
  readonly words: number[];
}

/** A pair with its count when it was queued: counts that have fallen since are seen only when the pair comes out. */
interface Candidate {
  readonly pair: CountedPair;
  readonly count: number;
}

/** Counts the pairs of all words. Ids are smaller than `limit`. A merge visits only words that had the pair. */
export function pairTable(words: readonly CountedWord[], limit: number): PairTable {
  const current = words.map(({ ids }) => ids);
  const pairs = new Map<number, CountedPair>();
  const queue = priorityQueue<Candidate>(isBefore);
  const keyOf = (left: number, right: number) => left * limit + right;

  const pairOf = (left: number, right: number): CountedPair => {
    const key = keyOf(left, right);
    const known = pairs.get(key);
    if (known) return known;
    const pair = { left, right, count: 0, words: [] };
    pairs.set(key, pair);
    return pair;
  };
  const gain = (word: number, isNew: (pair: Pair) => boolean, grown: Set<CountedPair>) => {
    for (const [left, right] of neighbours(current[word]!)) {
      const pair = pairOf(left, right);
      pair.count += words[word]!.count;
      if (!isNew(pair)) continue;
      grown.add(pair);
      if (pair.words.at(-1) !== word) pair.words.push(word);
    }
  };
  const lose = (word: number, ids: readonly number[]) => {
    for (const [left, right] of neighbours(ids)) {
      const pair = pairOf(left, right);
      pair.count -= words[word]!.count;
      if (pair.count === 0) pairs.delete(keyOf(left, right));
    }
  };
  const enqueue = (grown: Iterable<CountedPair>) => {
    for (const pair of grown) if (pair.count > 0) queue.push({ pair, count: pair.count });
  };

  const all = new Set<CountedPair>();
  for (const word of words.keys()) gain(word, () => true, all);
  enqueue(all);
  return {
    mostFrequent: () => {
      for (let top = queue.pop(); top; top = queue.pop()) {
        if (top.count === top.pair.count) return top.pair;
        if (top.count > top.pair.count) enqueue([top.pair]);
      }
      return undefined;
    },
    merge: ({ left, right }, id) => {
      const grown = new Set<CountedPair>();
      for (const word of pairOf(left, right).words) {
        const before = current[word]!;
        const after = replacePair(before, left, right, id);
        if (after.length === before.length) continue;
        current[word] = after;
        gain(word, (pair) => pair.left === id || pair.right === id, grown);
        lose(word, before);
      }
      enqueue(grown);
    },
  };
}

function isBefore(a: Candidate, b: Candidate): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.pair.left !== b.pair.left ? a.pair.left < b.pair.left : a.pair.right < b.pair.right;
}

function* neighbours(ids: readonly number[]): Iterable<readonly [number, number]> {
  for (let at = 1; at < ids.length; at++) yield [ids[at - 1]!, ids[at]!];
}

/** From left to right, so that of three equal tokens the first two are merged. */
function replacePair(ids: readonly number[], left: number, right: number, id: number): number[] {
  const replaced: number[] = [];
  for (let at = 0; at < ids.length; at++) {
    const found = ids[at] === left && ids[at + 1] === right;
    replaced.push(found ? id : ids[at]!);
    if (found) at++;
  }
  return replaced;
}
