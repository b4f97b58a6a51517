import fc from "fast-check";
import { expect, test } from "vitest";
import { parsedJson } from "../../values.ts";
import { parsedTokenizer } from "./vocabulary-json.ts";

/** A value with its maps as the objects that they were read from. */
const asObjects = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, inner) => (inner instanceof Map ? Object.fromEntries(inner) : inner)) ?? "null");

const token = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom('"', "\\", "vocab", '"vocab"', "\u2028", "\n", "7", "{"),
);

test("a tokenizer whose vocabulary is read in place says what JSON.parse says", () => {
  const vocab = fc.dictionary(token, fc.nat(999_999_999));
  const others = fc.dictionary(token, fc.jsonValue());
  fc.assert(
    fc.property(vocab, others, others, fc.constantFrom(undefined, 1, "\t"), (words, model, rest, indent) => {
      const text = JSON.stringify({ ...rest, model: { ...model, vocab: words, last: words } }, null, indent);
      expect(asObjects(parsedTokenizer(text))).toEqual(asObjects(parsedJson(text)));
    }),
  );
  const read = parsedTokenizer('{"model": {"vocab" : { "a\\u0062" : 10,\n"c":0 } } }');
  expect(read).toEqual({ model: { vocab: new Map(Object.entries({ ab: 10, c: 0 })) } });
});

test("what is no JSON, and what is no object of ids where it is looked for, is left to JSON.parse", () => {
  const [inside, ids] = ['{"a": 1}', '{"a": 01}'];
  for (const broken of [
    ids,
    '{"a": 1,}',
    '{"a" 1}',
    '{"a": }',
    "{a: 1}",
    '{"\n": 1}',
    '{"\\x": 1}',
    '{"a": 1',
    "{,}",
    "{",
  ])
    expect(parsedTokenizer(`{"model": {"vocab": ${broken}}}`)).toBeUndefined();
  const elsewhere = [
    `{"vocab": ${inside}, "model": {"type": "BPE"}}`,
    `{"vocab": ${inside}, "model": {"vocab": ${inside}}}`,
    `{"model": {"vocab": ${inside}, "\\u0076ocab": {"b": 2}}}`,
    `{"model": ["vocab", ${inside}]}`,
    '{"model": {"vocab": {"a": -1, "b": 1.5, "c": 1e3, "d": 12345678901, "e": "f"}}}',
    '{"model": {"vocab": {}}}',
    '{"model": {"vocab": [["a", 1]]}}',
    '"vocab"',
  ];
  for (const text of elsewhere) expect(parsedTokenizer(text)).toEqual(JSON.parse(text));
});
