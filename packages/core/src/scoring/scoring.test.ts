import fc from "fast-check";
import { expect, test } from "vitest";
import { corpusBleu } from "./bleu.ts";
import { exactMatch } from "./exact-match.ts";
import { rougeL } from "./rouge-l.ts";

const alone = (text: string, ...references: readonly string[]) => [{ text, references }];
const gsm8k = /#### (.+)/u;

test("an exact match is one of any reference, blanks around it aside", () => {
  expect(exactMatch(alone(" Paris\n", "London", "Paris"))).toBe(1);
  expect(exactMatch(alone("paris", "Paris"))).toBe(0);
  expect(exactMatch([...alone("a", "a"), ...alone("b", "c")])).toBe(0.5);
});

test("numbers match by value, however they are written", () => {
  for (const text of ["1200", "1,200", "$1,200.00", "1200.", " 1200.0 "])
    expect(exactMatch(alone(text, "1200")), text).toBe(1);
  for (const text of ["-1200", "1200 apples", "12,00"]) expect(exactMatch(alone(text, "1200")), text).toBe(0);
  expect(exactMatch(alone("-$5", "$-5"))).toBe(1);
});

test("with a pattern the last thing that it finds is the answer", () => {
  const reference = "5 + 4 = 9 and 9 * 2 = 18\n#### 18";
  expect(exactMatch(alone("#### 3\nno, wait\n#### 18.0", reference), gsm8k)).toBe(1);
  expect(exactMatch(alone("#### 18\nno, wait\n#### 3", reference), gsm8k)).toBe(0);
  expect(exactMatch(alone("it is 7, or 18", reference), /\d+/)).toBe(1);
});

test("a text without an answer is wrong, even beside a reference without one", () => {
  expect(exactMatch(alone("18", "18"), gsm8k)).toBe(0);
});

const words = fc.array(fc.constantFrom("the", "cat", "sat", "on", "a", "mat", "3.5"), { minLength: 4, maxLength: 12 });
const sentence = words.map((list) => list.join(" "));

test("a text that is one of its references has BLEU 100, ROUGE-L 1 and matches, whatever the others are", () => {
  fc.assert(
    fc.property(sentence, fc.array(sentence, { maxLength: 3 }), (text, others) => {
      const texts = alone(text, ...others, text);
      expect(corpusBleu(texts).score).toBeCloseTo(100, 10); // the exponential of a mean of logarithms
      expect([rougeL(texts), exactMatch(texts)]).toEqual([1, 1]);
    }),
  );
});

test("scores don't depend on the order of texts and references", () => {
  const scored = fc.record({ text: sentence, references: fc.array(sentence, { minLength: 1, maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(scored, { minLength: 1, maxLength: 5 }), (texts) => {
      const turned = texts.map(({ text, references }) => ({ text, references: [...references].reverse() })).reverse();
      expect(corpusBleu(turned)).toEqual(corpusBleu(texts));
      expect(rougeL(turned)).toBeCloseTo(rougeL(texts), 12); // another order of summation
    }),
  );
});

test("nothing to score, and nothing to score it by, are refused", () => {
  for (const score of [corpusBleu, rougeL, exactMatch]) {
    expect(() => score([])).toThrow("there are no texts to score");
    expect(() => score([...alone("a", "b"), ...alone("c")])).toThrow("text 2 has no reference to be scored by");
  }
});
