import { expect, test } from "vitest";
import { plainMarkdown, quoted, shellWord } from "./card-text.ts";

const hostile = [
  "<script>alert(1)</script>",
  "a | b",
  "line\nsecond ```\n---\n# heading",
  "[click](javascript:alert(1))",
  "![x](http://example.org/a.png)",
  "`code` *bold* _it_ ~~no~~",
  "https://example.org www.example.org",
  "\u202Ereversed\u0007",
  "---",
  "$(rm -rf x) 'y' \"z\"",
];

test.each(hostile)("a name is text to every reader of Markdown: %j", (name) => {
  expect(plainMarkdown(name)).not.toMatch(/[\\`*[\]<>|~$@!]|\b_|_\b|&(?!#\d+;)|:\/\/|^-+$|www\.|[\p{Cc}\p{Cf}]/u);
});

test.each(hostile)("a name is one string of YAML, Python and TypeScript on one line: %j", (name) => {
  expect(quoted(name)).toMatch(/^"(?:[^"\\\n]|\\["\\])*"$/);
  expect(() => JSON.parse(quoted(name))).not.toThrow();
});

test.each(hostile)("a name is one word of a shell on one line: %j", (name) => {
  expect(shellWord(name)).toMatch(/^(?:[\w./@:][\w./@:-]*|'[^'\n]*'(?:\\''[^'\n]*')*)$/);
});
