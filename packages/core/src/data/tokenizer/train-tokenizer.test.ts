import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { loadTokenizer, type Tokenizer } from "./tokenizer.ts";
import { type TokenizerTraining, tokenizerKinds, trainTokenizer } from "./train-tokenizer.ts";

const texts = [
  "The miller's daughter sang by the river, and the river sang with her.",
  "Nobody had sung there since the old mill-wheel broke in 1847; nobody had dared to.",
  "“Who's singing?” the miller asked. — “The river,” she answered, “and I with it!”",
  "Café, naïve, Ångström, ΟΔΥΣΣΕΥΣ, 日本語, 👍🏽 and tabs\tor\n\nempty lines   stand here too.",
];

async function* stream(parts: readonly string[]): AsyncIterable<string> {
  yield* parts;
}
const train = (training: Partial<TokenizerTraining>, from = texts) =>
  trainTokenizer(stream(from), { kind: "wordpiece", vocabulary: 180, maxLength: 64, ...training });
const wordPiece: Tokenizer = loadTokenizer(await train({ kind: "wordpiece" }));
const bytes: Tokenizer = loadTokenizer(await train({ kind: "byte-level-bpe", vocabulary: 320 }));

describe("both kinds", () => {
  test("learn a vocabulary of the size asked for, or less where the texts have no more pairs", async () => {
    expect(wordPiece.vocabularySize).toBe(180);
    expect(bytes.vocabularySize).toBe(320);
    const few = await train({ kind: "byte-level-bpe", vocabulary: 1000 }, ["abab", " abc"]);
    expect(loadTokenizer(few).vocabularySize).toBe(258 + ["ab", "abab", "Ġab", "Ġabc"].length);
  });

  test("write the same bytes whatever the texts' order", async () => {
    const order = fc.shuffledSubarray(texts, { minLength: texts.length });
    for (const kind of tokenizerKinds) {
      const expected = await train({ kind, vocabulary: 320 });
      const law = fc.asyncProperty(order, async (shuffled) => {
        expect(await train({ kind, vocabulary: 320 }, shuffled)).toEqual(expected);
      });
      await fc.assert(law, { numRuns: 10 });
    }
  });

  test("learn nothing from special tokens that stand in a text", async () => {
    const around = { wordpiece: ["[CLS]", "[SEP]"], "byte-level-bpe": ["<|endoftext|>", "<|padding|>"] };
    for (const kind of tokenizerKinds) {
      const marked = texts.map((text) => around[kind].join(text));
      expect(await train({ kind, vocabulary: 320 }, marked)).toEqual(await train({ kind, vocabulary: 320 }));
    }
  });

  test("say which row is the longest", () => {
    expect([wordPiece.modelMaxLength, bytes.modelMaxLength]).toEqual([64, 64]);
  });
});

describe("wordpiece", () => {
  test("gives special tokens their ids and wraps a text, and a pair with types, in them", () => {
    expect(wordPiece.specialIds).toEqual({ pad_token: 0, unk_token: 1, cls_token: 2, sep_token: 3, mask_token: 4 });
    const { inputIds, tokenTypeIds } = wordPiece.encode("the", "river");
    expect([...inputIds].map((id) => wordPiece.tokenOf(id))).toEqual(["[CLS]", "the", "[SEP]", "river", "[SEP]"]);
    expect([...(tokenTypeIds ?? [])]).toEqual([0, 0, 0, 1, 1]);
  });

  test("knows every word made of characters that it has met in their places", () => {
    const known = (prefix: string) => [..."abcdefghijklmnopqrstuvwxyz"].filter((c) => wordPiece.idOf(prefix + c));
    const word = fc.tuple(fc.constantFrom(...known("")), fc.array(fc.constantFrom(...known("##")), { maxLength: 40 }));
    fc.assert(
      fc.property(word, ([first, rest]) => {
        const text = [first, ...rest].join("");
        const { inputIds } = wordPiece.encode(text);
        expect(inputIds).not.toContain(1);
        expect(wordPiece.decode(inputIds)).toBe(text);
      }),
    );
  });

  test("lowercases unless told, and so learns one word from two", async () => {
    expect(wordPiece.encode("THE")).toEqual(wordPiece.encode("the"));
    const cased = loadTokenizer(await train({ lowercase: false }));
    expect(cased.idOf("T")).toBeDefined();
    expect(wordPiece.idOf("T")).toBeUndefined();
  });

  test("knows the thousand most frequent characters", async () => {
    const ideographs = Array.from({ length: 1100 }, (_, i) => String.fromCodePoint(0x4e00 + i));
    const rare = ideographs.slice(50, 150);
    const text = [...ideographs, ...ideographs.filter((one) => !rare.includes(one))].join("");
    const tokenizer = loadTokenizer(await train({ vocabulary: 1005 }, [text]));
    expect(ideographs.filter((one) => tokenizer.idOf(one) === undefined)).toEqual(rare);
  });
});

describe("byte-level BPE", () => {
  test("gives back every text from its ids", () => {
    const text = fc.string({ unit: "grapheme" }).filter((one) => !/<\|(endoftext|padding)\|>/.test(one));
    fc.assert(
      fc.property(text, (one) => {
        expect(bytes.decode(bytes.encode(one).inputIds)).toBe(one);
      }),
    );
  });

  test("knows every byte that UTF-8 has", () => {
    const [small, planes] = [
      Array.from({ length: 0x800 }, (_, i) => i),
      Array.from({ length: 0x440 }, (_, i) => i * 0x400),
    ];
    const points = [...small, ...planes].filter((point) => point < 0xd800 || point > 0xdfff);
    const text = points.map((point) => String.fromCodePoint(point)).join(" ");
    expect(new Set(new TextEncoder().encode(text)).size).toBe(256 - 13); // never C0, C1, F5 to FF
    expect(bytes.decode(bytes.encode(text).inputIds)).toBe(text);
  });

  test("learns the merges of Hugging Face's trainer from the same texts", async () => {
    const golden = (name: string) =>
      JSON.parse(readFileSync(new URL(`../../../golden/tokenizer/${name}.json`, import.meta.url), "utf8"));
    const written = z.object({ model: z.object({ merges: z.array(z.tuple([z.string(), z.string()])) }) });
    const { merges } = written.parse(golden("tiny-bytes")).model;
    // the trainer reads a special token as three words, which petl passes over
    const inWords = z
      .array(z.string())
      .parse(golden("strings").texts)
      .flatMap((text) => text.split(/(<\|)(endoftext)(\|>)/));
    const files = await train({ kind: "byte-level-bpe", vocabulary: 258 + merges.length }, inWords);
    const learned = z
      .object({ model: z.object({ merges: z.array(z.string()) }) })
      .parse(JSON.parse(files["tokenizer.json"]));
    expect(learned.model.merges).toEqual(merges.map((merge) => merge.join(" ")));
  });

  test("begins every text, and the second of a pair, with <|endoftext|>, which has the id 0", () => {
    expect(bytes.specialIds).toEqual({ bos_token: 0, eos_token: 0, pad_token: 1 });
    expect(bytes.padId).toBe(1);
    const [river, miller] = ["the river", "the miller"].map((text) => [...bytes.encode(text).inputIds].slice(1));
    const pair = bytes.encode("the river", "the miller");
    expect([...pair.inputIds]).toEqual([0, ...river!, 0, ...miller!]);
    expect(pair.tokenTypeIds).toBeUndefined();
  });
});

test("what can't be learnt is said, with the smallest vocabulary that can", async () => {
  const small = "special tokens, single characters and given words alone are";
  const bytesIn257 = train({ kind: "byte-level-bpe", vocabulary: 257 });
  await expect(bytesIn257).rejects.toThrow(`a vocabulary of 257 is too small; ${small} 258`);
  await expect(train({ vocabulary: 7 }, ["ab"])).rejects.toThrow(`a vocabulary of 7 is too small; ${small} 8`);
  expect(loadTokenizer(await train({ vocabulary: 8 }, ["ab"])).vocabularySize).toBe(8); // 5, a, b, ##b
  await expect(train({}, ["", " \n"])).rejects.toThrow("the texts hold no word that a tokenizer could be learnt from");
  const wrong = train({ kind: "byte-level-bpe", vocabulary: 0.5, lowercase: true, maxLength: 0 });
  await expect(wrong).rejects.toMatchObject({
    problems: [
      "byte-level-bpe keeps capitals; lowercase is for wordpiece",
      "vocabulary must be a whole number above 0, not 0.5",
      "maxLength must be a whole number above 0, not 0",
    ],
  });
});
