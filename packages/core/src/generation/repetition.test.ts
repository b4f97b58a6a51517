import fc from "fast-check";
import { expect, test } from "vitest";
import { withoutRepetition } from "./repetition.ts";

const vocabulary = 3;
const even = Float32Array.from({ length: vocabulary }, () => 1);
const texts = fc.array(fc.integer({ min: 0, max: vocabulary - 1 }), { maxLength: 12 });

/** Whether the last n-gram of a text stands in front of it too. */
const repeats = (text: readonly number[], size: number) =>
  text.some((_, at) => at + size < text.length && text.slice(-size).every((id, i) => text[at + i] === id));

test("exactly the tokens that would repeat an n-gram are impossible", () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 4 }), (text, size) => {
      const scores = withoutRepetition(even, text, { repetitionPenalty: 1, noRepeatNgramSize: size });
      const impossible = Array.from(scores, (score) => score === Number.NEGATIVE_INFINITY);
      const wanted = Array.from(even, (_, id) => text.length >= size - 1 && repeats([...text, id], size));
      expect(impossible).toEqual(wanted);
    }),
  );
});

test("the scores that were given stay as they are", () => {
  withoutRepetition(even, [0, 0, 0], { repetitionPenalty: 2, noRepeatNgramSize: 2 });
  expect([...even]).toEqual([1, 1, 1]);
});
