import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { loadTokenizer, type Tokenizer } from "./tokenizer.ts";
import { tokenizerFileNames } from "./tokenizer-file-names.ts";

const folder = new URL("../../../golden/tokenizer/", import.meta.url);
const data = new URL("../../../../../../shared/data/", import.meta.url);
const ids = z.array(z.number());
const readJson = <T>(name: string, schema: z.ZodType<T>): T =>
  schema.parse(JSON.parse(readFileSync(new URL(name, folder), "utf8")));

const { texts, pairs, words } = readJson(
  "strings.json",
  z.object({
    texts: z.array(z.string()),
    pairs: z.array(z.tuple([z.number(), z.number(), z.number()])),
    words: z.array(z.array(z.string())),
  }),
);
const golden = readJson(
  "golden.json",
  z.record(
    z.string(),
    z.object({
      single: z.array(ids),
      truncated: z.array(z.tuple([z.number(), ids])),
      pairs: z.array(z.tuple([ids, ids])),
      words: z.array(z.tuple([z.number(), ids, ids])),
      decoded: z.array(z.string()).optional(),
    }),
  ),
);

function tokenizerIn(at: URL): Tokenizer {
  const found = tokenizerFileNames.filter((name) => existsSync(new URL(name, at)));
  return loadTokenizer(Object.fromEntries(found.map((name) => [name, readFileSync(new URL(name, at), "utf8")])));
}

const tiny = (name: string) => ({
  name,
  golden: name,
  present: true,
  load: () => loadTokenizer({ "tokenizer.json": readFileSync(new URL(`${name}.json`, folder), "utf8") }),
});
const real = (name: string, like = name) => ({
  name,
  golden: like,
  present: existsSync(new URL(`${name}/`, data)),
  load: () => tokenizerIn(new URL(`${name}/`, data)),
});
const bert = "tokenizers/bert-base-uncased";
const vocabularyOnly = {
  ...real(bert),
  name: `${bert}, vocab.txt alone`,
  load: () => loadTokenizer({ "vocab.txt": readFileSync(new URL(`${bert}/vocab.txt`, data), "utf8") }),
};
const tokenizers = [
  tiny("tiny-wordpiece"),
  tiny("tiny-bytes"),
  real(bert),
  vocabularyOnly,
  real("checkpoints/all-minilm-l6-v2", bert),
  real("tokenizers/gpt2"),
  real("checkpoints/tinystories-656k-llama"),
];

/** A law over many rows as one readable comparison: what differs, beside the text that made it. */
function different<T>(expected: readonly T[], got: (index: number) => T, shownAs: (index: number) => unknown) {
  return expected.flatMap((value, index) => {
    const ours = got(index);
    return JSON.stringify(ours) === JSON.stringify(value) ? [] : [{ for: shownAs(index), ours, theirs: value }];
  });
}

for (const subject of tokenizers) {
  if (!subject.present) {
    test.skip(`${subject.name} (skipped: ../shared/data is not here)`);
    continue;
  }
  describe(subject.name, () => {
    const expected = golden[subject.golden]!;
    const tokenizer = subject.load();
    const list = (array: Int32Array) => [...array];

    test("gives the ids of the real tokenizer for every single text", () => {
      const got = (i: number) => list(tokenizer.encode(texts[i]!).inputIds);
      expect(different(expected.single, got, (i) => texts[i])).toEqual([]);
    });
    test("cuts a single text as truncation=True does", () => {
      const got = (i: number): [number, number[]] => {
        const room = expected.truncated[i]![0];
        return [room, list(tokenizer.encode(texts[i]!, undefined, room).inputIds)];
      };
      expect(different(expected.truncated, got, (i) => texts[i])).toEqual([]);
    });
    test("cuts a pair, longest first, and types it as the real tokenizer does where it has types", () => {
      const got = (i: number): [number[], number[]] => {
        const [first, second, room] = pairs[i]!;
        const encoded = tokenizer.encode(texts[first]!, texts[second]!, room);
        const types = encoded.tokenTypeIds ? list(encoded.tokenTypeIds) : expected.pairs[i]![1];
        return [list(encoded.inputIds), types];
      };
      expect(different(expected.pairs, got, (i) => pairs[i])).toEqual([]);
    });
    test("finds the first token of every word", () => {
      const got = (i: number): [number, number[], number[]] => {
        const room = expected.words[i]![0];
        const encoded = tokenizer.encodeWords(words[i]!, room);
        return [room, list(encoded.inputIds), list(encoded.firstTokens)];
      };
      expect(different(expected.words, got, (i) => words[i])).toEqual([]);
    });
    const { decoded } = expected;
    if (!decoded) return;
    test("decodes to the text of the real tokenizer", () => {
      const got = (i: number) => tokenizer.decode(expected.single[i]!);
      expect(different(decoded, got, (i) => texts[i])).toEqual([]);
    });
  });
}
