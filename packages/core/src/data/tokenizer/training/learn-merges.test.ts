import fc from "fast-check";
import { expect, test } from "vitest";
import { learnMerges } from "./learn-merges.ts";
import type { CountedWord } from "./pair-table.ts";

const alphabet = [..."abcde"];
const join = (left: string, right: string) => left + right;
const count = (word: string, times: number): CountedWord => ({
  ids: Array.from(word, (letter) => alphabet.indexOf(letter)),
  count: times,
});

/** Byte-pair encoding as the paper words it: all pairs counted anew for every merge. */
function recounting(words: readonly CountedWord[], size: number): readonly string[] {
  const tokens = [...alphabet];
  let current = words.map(({ ids }) => ids);
  while (tokens.length < size) {
    const counts = new Map<string, number>();
    current.forEach((pieces, word) => {
      for (let at = 1; at < pieces.length; at++) {
        const pair = `${pieces[at - 1]} ${pieces[at]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + words[word]!.count);
      }
    });
    const ids = (pair: string) => pair.split(" ").map(Number);
    const [best] = [...counts].sort(([a, m], [b, n]) => n - m || ids(a)[0]! - ids(b)[0]! || ids(a)[1]! - ids(b)[1]!);
    if (!best) break;
    const [left, right] = ids(best[0]);
    const token = tokens[left!]! + tokens[right!]!;
    const id = tokens.includes(token) ? tokens.indexOf(token) : tokens.push(token) - 1;
    current = current.map((old) => merged(old, left!, right!, id));
  }
  return tokens;
}

function merged([first, second, ...rest]: readonly number[], left: number, right: number, id: number): number[] {
  if (first === undefined) return [];
  if (first === left && second === right) return [id, ...merged(rest, left, right, id)];
  return second === undefined ? [first] : [first, ...merged([second, ...rest], left, right, id)];
}

test("each merge is of the pair most frequent at its time, among equals of the older tokens", () => {
  // ab 5 + 2 + 3; then abc 5 against cd 4; cde 4 against abd 3, de is used up
  const words = [count("abc", 5), count("ab", 2), count("abd", 3), count("cde", 4)];
  const { tokens, merges } = learnMerges(words, alphabet, 9, join);
  expect(merges).toEqual([
    ["a", "b"],
    ["ab", "c"],
    ["c", "d"],
    ["cd", "e"],
  ]);
  expect(tokens).toEqual([...alphabet, "ab", "abc", "cd", "cde"]);
});

test("counts that follow the merges lead where counting anew does", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 12 });
  const list = fc.array(fc.tuple(letters, fc.integer({ min: 1, max: 9 })), { maxLength: 25 });
  fc.assert(
    fc.property(list, fc.integer({ min: 5, max: 60 }), (drawn, size) => {
      const words = drawn.map(([word, times]) => count(word, times));
      expect(learnMerges(words, alphabet, size, join).tokens).toEqual(recounting(words, size));
    }),
  );
});

test("learning ends when every word is one token", () => {
  expect(learnMerges([count("aaaa", 1)], alphabet, 100, join).tokens).toEqual([...alphabet, "aa", "aaaa"]);
  expect(learnMerges([], alphabet, 100, join)).toEqual({ tokens: alphabet, merges: [] });
});

test("a token that two ways lead to stands once in the vocabulary, and each merge once among the merges", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 16 });
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 25 }), (drawn) => {
      const { tokens, merges } = learnMerges(
        drawn.map((word) => count(word, 1)),
        alphabet,
        80,
        join,
      );
      expect(new Set(tokens).size).toBe(tokens.length);
      expect(new Set(merges.map((merge) => merge.join(" "))).size).toBe(merges.length);
      expect(new Set(merges.map((merge) => merge.join("")))).toEqual(new Set(tokens.slice(alphabet.length)));
    }),
  );
});
