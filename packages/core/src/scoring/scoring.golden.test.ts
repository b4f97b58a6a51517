import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { corpusBleu } from "./bleu.ts";
import { bleuTokens } from "./bleu-tokens.ts";
import { rougeL } from "./rouge-l.ts";

const strings = z.array(z.string());
const { tokens, corpora } = z
  .object({
    tokens: z.array(z.object({ line: z.string(), tokens: strings })),
    corpora: z.array(
      z.object({
        name: z.string(),
        texts: z.array(z.object({ text: z.string(), references: strings })),
        bleu: z.object({
          score: z.number(),
          precisions: z.array(z.number()),
          brevityPenalty: z.number(),
          length: z.number(),
          referenceLength: z.number(),
        }),
        bleu_lowercase: z.number(),
        rouge_l: z.number(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("../../golden/scoring/golden.json", import.meta.url), "utf8")));

test.each(tokens)("the 13a tokens of $line are sacrebleu's", ({ line, tokens: expected }) => {
  expect(bleuTokens(line)).toEqual(expected);
});

describe.each(corpora)("$name", ({ texts, bleu, bleu_lowercase, rouge_l }) => {
  test("corpus BLEU and its parts are sacrebleu's", () => {
    const found = corpusBleu(texts);
    // goldens have nine digits, and scores up to 100 so many behind the point as are compared
    expect(found.score).toBeCloseTo(bleu.score, 6);
    expect(found.brevityPenalty).toBeCloseTo(bleu.brevityPenalty, 8);
    for (const [order, precision] of bleu.precisions.entries())
      expect(found.precisions[order]).toBeCloseTo(precision, 6);
    expect([found.length, found.referenceLength]).toEqual([bleu.length, bleu.referenceLength]);
  });

  test("corpus BLEU without regard to case is sacrebleu's", () => {
    expect(corpusBleu(texts, { lowercase: true }).score).toBeCloseTo(bleu_lowercase, 6); // as above
  });

  test("ROUGE-L is rouge-score's", () => {
    expect(rougeL(texts)).toBeCloseTo(rouge_l, 8); // goldens have nine digits
  });
});
