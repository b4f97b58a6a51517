import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.ts";
import { parseJson, parseStrictJson, withFields } from "./json.ts";

test("every JSON text gives what JSON.parse gives, strictly parsed or not", () => {
  const spaced = fc.tuple(fc.json(), fc.constantFrom(undefined, 1, "\t")).map(([text, indent]) => {
    return JSON.stringify(JSON.parse(text), null, indent);
  });
  fc.assert(
    fc.property(fc.oneof(fc.json(), spaced), (text) => {
      expect(parseStrictJson(text, "x", 100)).toEqual(JSON.parse(text));
      expect(parseJson(text, "x")).toEqual(JSON.parse(text));
    }),
    { numRuns: 1000 },
  );
});

test("a text that JSON.parse refuses is refused by an InputError with a place, and no other text is", () => {
  const edit = fc.record({
    at: fc.nat(),
    cut: fc.nat(3),
    insert: fc.constantFrom("", "{", "]", ",", '"', "\\", "\n", "-", "0", ".", "e", "u", "\0"),
  });
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false }), edit, (json, { at, cut, insert }) => {
      const place = at % (json.length + 1);
      const text = json.slice(0, place) + insert + json.slice(place + cut);
      const strict = outcome(() => parseStrictJson(text, "x", 100));
      const twice = /the key .* appears twice/.test(strict);
      if (!twice) expect(strict).toEqual(outcome(() => parseJson(text, "x")));
      if (outcome(() => JSON.parse(text)).startsWith("SyntaxError"))
        expect(strict).toMatch(/^InputError: x: line \d+, column \d+: /);
      else if (!twice) expect(strict).toBe("a value");
    }),
    { numRuns: 5000 },
  );
});

test("a text that is nested deeper than anything walks through is refused before it is read", () => {
  for (const text of ["[".repeat(1_000_000), `${'{"a":'.repeat(2000)}1${"}".repeat(2000)}`])
    expect(() => parseJson(text, "x")).toThrow("x: nested deeper than 1000");
  expect(parseJson(JSON.stringify([`${"[".repeat(5000)}\\"`]), "x")).toHaveLength(1);
});

function outcome(parse: () => unknown): string {
  try {
    parse();
    return "a value";
  } catch (error) {
    return String(error);
  }
}

describe("a fault is named with file, line and column", () => {
  test.each([
    ['{\n  "a": 1,\n  "b": tru\n}', 'c.json: line 3, column 8: found "t" where JSON needs a value'],
    ['{"a": 1,}', 'c.json: line 1, column 9: found "}" where JSON needs a key in double quotes'],
    ["", "c.json: line 1, column 1: found the end where JSON needs a value"],
    ["[1 2]", 'c.json: line 1, column 4: found "2" where JSON needs "," or "]"'],
    ['"a\nb"', 'c.json: line 1, column 3: found "\\n" where JSON needs no raw control character in a string'],
    ["01", 'c.json: line 1, column 2: found "1" where JSON needs the end of the text'],
    ['"\\u12g4"', 'c.json: line 1, column 3: found "u" where JSON needs four hexadecimal digits after \\u'],
  ])("%j", (text, message) => {
    expect(() => parseJson(text, "c.json")).toThrow(new InputError(message));
  });
});

test("strict: a key that appears twice in one object is refused, in either spelling, and at any depth", () => {
  const twice = (text: string) => () => parseStrictJson(text, "x", 9);
  expect(twice('{"a": 1, "a": 1}')).toThrow(new InputError('x: line 1, column 10: the key "a" appears twice'));
  expect(twice('{"a": 1,\n"\\u0061": 2}')).toThrow(new InputError('x: line 2, column 1: the key "a" appears twice'));
  expect(twice('[{"b": {"__proto__": 1, "__proto__": 2}}]')).toThrow(/"__proto__" appears twice/);
  expect(twice('[{"a": {"a": 1}}, {"a": 1}]')()).toEqual([{ a: { a: 1 } }, { a: 1 }]);
});

test("a deep nest is refused before it can exhaust the stack", () => {
  expect(parseStrictJson("[[[]]]", "x", 3)).toEqual([[[]]]);
  expect(() => parseStrictJson("[[[[]]]]", "x", 3)).toThrow(
    new InputError("x: line 1, column 4: nested deeper than 3"),
  );
  expect(() => parseStrictJson("[".repeat(1e6), "x", 3)).toThrow(InputError);
  expect(() => parseJson('{"a":'.repeat(1e6), "x")).toThrow(InputError);
});

describe("fields of an object's text", () => {
  const object = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 6 });
  const ownKeys = (value: object) => Object.fromEntries(Object.entries(value).filter(([key]) => key !== "__proto__"));

  test("the result holds the object with its changes, whatever spaces it was written with", () => {
    fc.assert(
      fc.property(object, object, fc.constantFrom(undefined, 1, "\t"), (before, changes, indent) => {
        const [own, more] = [ownKeys(before), ownKeys(changes)];
        const text = JSON.stringify(own, null, indent);
        expect(JSON.parse(withFields(text, "x", more))).toEqual(JSON.parse(JSON.stringify({ ...own, ...more })));
        const without = Object.fromEntries(Object.keys(own).map((key) => [key, undefined]));
        expect(JSON.parse(withFields(text, "x", without))).toEqual({});
      }),
    );
  });

  test("what is not changed keeps its text", () => {
    const text = '{"a": 30.0, "n": {"b": [1e5, 2.50]}, "c": -0}';
    expect(withFields(text, "x", { c: { d: 1 } })).toBe(
      '{\n  "a": 30.0,\n  "n": {"b": [1e5, 2.50]},\n  "c": {\n    "d": 1\n  }\n}\n',
    );
    expect(() => withFields("[1]", "x", {})).toThrow("x: must be an object");
  });
});
