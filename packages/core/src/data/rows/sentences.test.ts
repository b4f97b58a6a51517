import fc from "fast-check";
import { expect, test } from "vitest";
import { sentencesOf } from "./sentences.ts";

test("sentences joined by a space are the paragraph, its white space aside", () => {
  const text = fc.array(fc.constantFrom("A", "b", ".", "!", "?", " ", "\n", '"', "Mr.", "7"), { maxLength: 40 });
  fc.assert(
    fc.property(text, (pieces) => {
      const paragraph = pieces.join("").trim();
      const bare = (all: string) => all.replace(/\s+/g, "");
      expect(bare(sentencesOf(paragraph).join(" "))).toBe(bare(paragraph));
    }),
  );
});

test.each([
  ["He went. She stayed.", ["He went.", "She stayed."]],
  ["“Why?” said he. “Go!” And so they went.", ["“Why?” said he.", "“Go!”", "And so they went."]],
  ["Mr. Audley and Dr. J. Watson came at 3.5 o'clock.", ["Mr. Audley and Dr. J. Watson came at 3.5 o'clock."]],
  ["It rained… 1862 was wet.", ["It rained…", "1862 was wet."]],
])("%s", (paragraph, sentences) => expect(sentencesOf(paragraph)).toEqual(sentences));
