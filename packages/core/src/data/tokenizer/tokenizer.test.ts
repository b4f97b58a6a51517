import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadTokenizer } from "./tokenizer.ts";
import { longestFirst } from "./truncation.ts";

const folder = new URL("../../../golden/tokenizer/", import.meta.url);
const file = (name: string) => readFileSync(new URL(`${name}.json`, folder), "utf8");
const wordPiece = () => loadTokenizer({ "tokenizer.json": file("tiny-wordpiece") });
const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s", "é", "e"];
const lines = (tokens: readonly string[]) => tokens.map((token) => `${token}\n`).join("");

test("two texts together fill the room exactly, and the shorter is cut only where both pass half of it", () => {
  const size = fc.nat(50);
  fc.assert(
    fc.property(size, size, size, (first, second, room) => {
      const [one, two] = longestFirst(first, second, room);
      expect(one + two).toBe(Math.min(room, first + second));
      expect(one <= first && two <= second).toBe(true);
      if (Math.min(first, second) <= Math.floor(room / 2)) expect(Math.min(one, two)).toBe(Math.min(first, second));
      else if (first + second > room) expect(Math.abs(one - two)).toBeLessThanOrEqual(1);
    }),
  );
});

test("byte-level text comes back from its ids", () => {
  const tokenizer = loadTokenizer({ "tokenizer.json": file("tiny-bytes") });
  const text = fc.string({ unit: "grapheme" }).filter((one) => !/<(s|pad|\/s|unk|mask)>/.test(one));
  fc.assert(
    fc.property(text, (one) => {
      expect(tokenizer.decode(tokenizer.encode(one).inputIds)).toBe(one);
    }),
  );
});

test("truncation and padding that the file carries are ignored", () => {
  const parsed = JSON.parse(file("tiny-wordpiece"));
  const fixed = { strategy: { Fixed: 9 }, direction: "Right", pad_id: 0, pad_type_id: 0, pad_token: "[PAD]" };
  const cut = { max_length: 3, strategy: "LongestFirst", stride: 0, direction: "Right" };
  const carrying = loadTokenizer({ "tokenizer.json": JSON.stringify({ ...parsed, padding: fixed, truncation: cut }) });
  for (const text of ["the", "the film was not very good at all"])
    expect(carrying.encode(text)).toEqual(wordPiece().encode(text));
});

test("truncation_side left keeps the end, also of words", () => {
  const left = loadTokenizer({
    "tokenizer.json": file("tiny-wordpiece"),
    "tokenizer_config.json": '{"truncation_side":"left"}',
  });
  const whole = [...left.encode("the film was good").inputIds];
  expect([...left.encode("the film was good", undefined, 4).inputIds]).toEqual([whole[0], ...whole.slice(-3)]);
  const words = left.encodeWords(["the", "film", "was", "good"], 4);
  expect([...words.firstTokens].filter((at) => at >= 0).map((at) => words.inputIds[at])).toEqual(whole.slice(-3, -1));
});

test("a vocabulary alone makes BERT's tokenizer; capital letters in it or do_lower_case decide about case", () => {
  const uncased = loadTokenizer({ "vocab.txt": lines(vocabulary) });
  expect([...uncased.encode("A FILMS é", "film").inputIds]).toEqual([2, 5, 6, 7, 9, 3, 6, 3]);
  expect([...(uncased.encode("a", "a").tokenTypeIds ?? [])]).toEqual([0, 0, 0, 1, 1]);
  const cased = loadTokenizer({ "vocab.txt": lines([...vocabulary, "Film"]) });
  expect([...cased.encode("Film FILM é").inputIds]).toEqual([2, 10, 1, 8, 3]);
  const told = loadTokenizer({ "vocab.txt": lines(vocabulary), "tokenizer_config.json": '{"do_lower_case": false}' });
  expect([...told.encode("Film film").inputIds]).toEqual([2, 1, 6, 3]);
  expect(uncased.padId).toBe(0);
  expect(uncased.specialIds).toEqual({ pad_token: 0, unk_token: 1, cls_token: 2, sep_token: 3, mask_token: 4 });
  expect(uncased.vocabularySize).toBe(vocabulary.length);
});

test("the padding token comes from the tokenizer's files, else from the model's config", () => {
  const named = { "special_tokens_map.json": '{"pad_token": {"content": "film"}}' };
  expect(loadTokenizer({ "vocab.txt": lines(vocabulary), ...named }).padId).toBe(6);
  const parsed = JSON.parse(file("tiny-bytes"));
  const bare = JSON.stringify(parsed).replaceAll('"<pad>"', '"<blank>"');
  expect(loadTokenizer({ "tokenizer.json": bare, "config.json": '{"pad_token_id": 1}' }).padId).toBe(1);
});

test("ids that no token has are nothing: beyond the tokenizer's size, and in a gap of its ids", () => {
  const tokenizer = wordPiece();
  const ids = [...tokenizer.encode("the film was good").inputIds];
  expect(tokenizer.decode([...ids, 1_000_000])).toBe(tokenizer.decode(ids));
  const parsed = JSON.parse(file("tiny-wordpiece"));
  const apart = loadTokenizer({
    "tokenizer.json": JSON.stringify({
      ...parsed,
      model: { ...parsed.model, vocab: { ...parsed.model.vocab, "##far": tokenizer.vocabularySize + 5 } },
    }),
  });
  expect(apart.vocabularySize).toBe(tokenizer.vocabularySize + 6);
  expect(apart.decode([...ids, tokenizer.vocabularySize + 1])).toBe(tokenizer.decode(ids));
  expect(apart.continuationIds.has(apart.vocabularySize - 1)).toBe(true);
});

test("vocab.json and merges.txt make the tokenizer that tokenizer.json makes of them", () => {
  const parsed = JSON.parse(file("tiny-bytes"));
  const { vocab, merges } = parsed.model;
  const pair = (merge: string | readonly string[]) => (typeof merge === "string" ? merge : merge.join(" "));
  const files = {
    "vocab.json": JSON.stringify(vocab),
    "merges.txt": `#version: 0.2\r\n${merges.map(pair).join("\r\n")}\r\n`,
    "config.json": '{"model_type": "roberta"}',
  };
  const [whole, parts] = [loadTokenizer({ "tokenizer.json": file("tiny-bytes") }), loadTokenizer(files)];
  for (const text of ["The film wasn't bad,\n  é 12", "<s> a", ""]) {
    expect([...parts.idsOf(text)]).toEqual([...whole.idsOf(text)]);
    expect([...parts.encode(text, "b").inputIds]).toEqual([...whole.encode(text, "b").inputIds]);
  }
  expect(() => loadTokenizer({ ...files, "merges.txt": "a b\nc" })).toThrow("merges.txt line 2: is no pair of tokens");
});

test("what can't be done is said", () => {
  const refused = (files: Parameters<typeof loadTokenizer>[0]) => () => loadTokenizer(files);
  expect(refused({})).toThrow("neither tokenizer.json nor vocab.json with merges.txt nor vocab.txt");
  expect(refused({ "tokenizer.json": "{" })).toThrow("tokenizer.json is not JSON");
  expect(refused({ "tokenizer.json": "{}" })).toThrow("tokenizer.json: model");
  expect(refused({ "vocab.txt": "a\nb\n" })).toThrow('vocab.txt lacks "[UNK]", "[CLS]", "[SEP]"');
  expect(() => wordPiece().encode("a", "b", 3)).toThrow(
    "a length of 3 leaves no room for text beside 3 special tokens",
  );
  expect(() => wordPiece().decode([-1])).toThrow("-1 is no token's id");
  expect(wordPiece().decode([])).toBe("");
});
