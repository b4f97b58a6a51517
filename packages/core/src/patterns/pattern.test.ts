import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../errors.ts";
import { compilePattern } from "./pattern.ts";

const finds = (source: string, text: string) =>
  Array.from(compilePattern(source, "javascript").findAll(text), ({ start, end }) => [start, end]);
const native = (source: string, text: string) =>
  Array.from(text.matchAll(new RegExp(source, "gu")), (match) => [match.index, match.index + match[0].length]);

/** Patterns of a few letters, of every construct. */
const { pattern } = fc.letrec<{ pattern: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\p{L}", "\\s", "é", "\\u{1F600}", "^", "$"),
    tie("pattern").map((inner) => `(?:${inner})`),
    fc.tuple(fc.constantFrom("?=", "?!"), tie("pattern")).map(([mark, inner]) => `(${mark}${inner})`),
    fc.constantFrom("(?<=a)", "(?<!b)", "(?<=[ab]a)"),
  ),
  pattern: fc
    .array(
      fc
        .array(fc.tuple(tie("atom"), fc.constantFrom("", "", "", "*", "+", "?", "*?", "+?", "{2}", "{1,2}", "{2,}")), {
          maxLength: 3,
        })
        .map((items) =>
          items.map(([atom, often]) => (/^(\^|\$|\(\?[=!<])/.test(String(atom)) ? atom : `${atom}${often}`)).join(""),
        ),
      { minLength: 1, maxLength: 3 },
    )
    .map((ways) => ways.join("|")),
}));

test("what is found is what JavaScript finds by backtracking, in the same places", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "é", "\n"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (source, given) => {
      if (emptyLoop.test(source)) return;
      expect(finds(source, given)).toEqual(native(source, given));
    }),
    { numRuns: 3000 },
  );
});

test("characters beyond U+FFFF are one each", () => {
  expect(finds(".", "a😀b")).toEqual([
    [0, 1],
    [1, 3],
    [3, 4],
  ]);
  expect(finds("(?<=.)b|(?<=😀)c", "😀b😀c")).toEqual([
    [2, 3],
    [5, 6],
  ]);
  expect(finds("[^a]{2}", "a😀é")).toEqual([[1, 4]]);
});

/** A loop whose body may be empty: JavaScript gives up an empty turn, others take it; nobody writes one. */
const emptyLoop = /\)(\*|\+|\{|\?)/;

test.each([
  ["(a+)+b", "a"],
  ["(a|a)*b", "a"],
  ["(a*)*b", "a"],
  ["(.*a){20}b", "a"],
  ["a*b|a", "a"],
])("%s: a pattern that backtracks for ages ends at once on 5,000 letters", (source, letter) => {
  expect(compilePattern(source, "javascript").matches(letter.repeat(5000))).toBe(false);
  expect([...compilePattern(source, "javascript").findAll(`${letter.repeat(5000)}c`)].length).toBeLessThan(5002);
});

test("looking ahead again and again is given up instead of going on", () => {
  const text = "a".repeat(100_000);
  expect(() => [...compilePattern("(?=a*b)a", "javascript").findAll(text)]).toThrow(/too long on a text of 100000/);
});

test.each([
  ["(?i).*\\.Q_PROJ", "layers.0.q_proj", true],
  [".*\\.(?P<n>[qv]_proj)", "layers.0.v_proj", true],
  ["\\A.*\\.[qv]_proj\\Z", "layers.0.q_proj", true],
  ["(?!.*lm_head).*proj", "lm_head.proj", false],
  [".*(?<!k)_proj", "x.k_proj", false],
  [".*(?<!k)_proj", "x.q_proj", true],
  ["(?s:.)*", "a\nb", true],
  ["(?#names)[]x-z]+", "]y", true],
  ["layers\\.(?:[0-9]|1[0-2])\\.\\w+", "layers.12.up_proj", true],
  ["a$", "a", true],
  ["\\d{2,3}", "1234", false],
])("Python's %s and %s: %s", (source, text, expected) => {
  expect(compilePattern(source, "python").matches(text)).toBe(expected);
});

test.each([
  ["(a)\\1", "a reference to a group"],
  ["(?P=n)", 'the group "(?P="'],
  ["(?(1)a|b)", 'the group "(?(1"'],
  ["(?>a)", 'the group "(?>a"'],
  ["a*+", "a possessive repetition"],
  ["(", 'a "(" without its ")"'],
  ["a)", 'a ")" that closes nothing'],
  ["[a", 'a "[" has no "]"'],
  ["*a", '"*" that repeats nothing'],
  ["a{1000}{1000}", "not understood"],
  ["(?:(?:a{1000}){1000}){1000}", "more than 20000 steps"],
  ["(?<=a*)b", "looks back over texts of different lengths"],
  ["[b-a]", "a range of characters"],
  ["\\p{Nothing}", "is not known"],
  ["(?x)a", 'the flag "x"'],
  ["(".repeat(2000), "nested deeper than 100"],
])("%s is refused with what is not understood", (source, message) => {
  expect(() => compilePattern(source, "python")).toThrow(InputError);
  expect(() => compilePattern(source, "python")).toThrow(message);
});
