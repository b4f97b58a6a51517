import { expect, test } from "vitest";
import { countWords } from "./count-words.ts";

async function* stream(texts: readonly string[]): AsyncIterable<string> {
  yield* texts;
}
const split = (text: string) => text.split(" ");

test("counts every word but the too long ones, over all texts", async () => {
  const counts = await countWords(stream(["a bb a", "bb ccc", "dddd"]), split, { longestWord: 3 });
  expect([...counts]).toEqual([
    ["a", 2],
    ["bb", 2],
    ["ccc", 1],
  ]);
});

test("forgets the rarest words when there are too many, and keeps the counts of the others", async () => {
  const texts = Array.from({ length: 105 }, (_, i) => `often often rare${i}`);
  const counts = await countWords(stream(texts), split, { longestWord: 10, distinctWords: 20 });
  expect(counts.get("often")).toBe(210);
  expect(counts.size).toBeLessThanOrEqual(20);
  expect(counts.has("rare104")).toBe(true);
});
