import fc from "fast-check";
import { expect, test } from "vitest";
import { textStream } from "./text-stream.ts";

/** Tokens are bytes of UTF-8. */
const decode = (ids: readonly number[]) => new TextDecoder().decode(Uint8Array.from(ids));
const bytes = (text: string) => [...new TextEncoder().encode(text)];

function read(text: string, stops: readonly string[]) {
  const stream = textStream(decode, stops);
  const pieces: string[] = [];
  for (const id of bytes(text)) {
    const { text: piece, stopped } = stream.push(id);
    pieces.push(piece);
    if (stopped) return { pieces, stopped };
  }
  return { pieces: [...pieces, stream.finish()], stopped: false };
}

/** The bytes 1 and 2 stand for special tokens. */
const special = (ids: readonly number[], options?: { readonly specialTokens?: boolean }) =>
  decode(ids.flatMap((id) => (id > 2 ? [id] : options?.specialTokens ? bytes(`<${id}>`) : [])));

test("a stop text may name special tokens, which are no part of the text", () => {
  const stream = textStream(special, ["<1>", "b<2>"]);
  const pushed = [...bytes("ab"), 2].map((id) => stream.push(id));
  expect(pushed.map(({ stopped }) => stopped)).toEqual([false, false, true]);
  expect(pushed.map(({ text }) => text).join("")).toBe("a");
  const other = textStream(special, ["<1>"]);
  expect([...bytes("ab"), 2, 1].map((id) => other.push(id).text).join("")).toBe("ab");
});

test("the pieces together are the text, up to the first stop text, and no piece is taken back", () => {
  const text = fc.stringMatching(/^[aba€\n]{0,12}$/);
  fc.assert(
    fc.property(text, fc.array(fc.constantFrom("ab", "ba€", "\n\n"), { maxLength: 2 }), (given, stops) => {
      const found = read(given, stops);
      const ends = stops.map((stop) => given.indexOf(stop)).filter((at) => at >= 0);
      expect(found.stopped).toBe(ends.length > 0);
      const joined = found.pieces.join("");
      if (ends.length === 0) expect(joined).toBe(given);
      else expect(stops.some((stop) => joined + stop === given.slice(0, joined.length + stop.length))).toBe(true);
      expect(joined).not.toContain("\uFFFD");
      for (const stop of stops) expect(joined).not.toContain(stop);
    }),
  );
});
