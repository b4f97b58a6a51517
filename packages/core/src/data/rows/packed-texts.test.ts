import fc from "fast-check";
import { expect, test } from "vitest";
import { alikeRows } from "./equal-rows.ts";
import type { Example, ExampleSet } from "./examples.ts";
import { type ByteKeeper, textPacker } from "./packed-texts.ts";
import { rowRemarks } from "./row-remarks.ts";
import { writtenRows } from "./written-rows.ts";

const drawnText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "  ", "none", `${" ".repeat(40)}N/A`, "\u00a0\u3000", "undefined and more", "a\0b", "naïve 🙂"),
);
const one = { kind: fc.constant("text" as const), text: drawnText, label: fc.constantFrom("a", "é", 5, true) };
/** Rows of one file, which all have a second text or none has. */
const drawnRows: fc.Arbitrary<Example[]> = fc.oneof(
  fc.array(fc.record(one, { requiredKeys: ["kind", "text"] }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.record({ ...one, pair: drawnText }), { minLength: 1, maxLength: 20 }),
);
const setOf = (examples: readonly Example[]): ExampleSet => {
  const placeOf = (index: number) => `t.csv line ${index + 2}`;
  return { name: "t.csv", examples, placeOf, columns: { text: "text", label: "label" } };
};
/** A row with its texts as fields. */
const plain = (example: Example) =>
  example.kind === "text" ? { ...example, text: example.text, pair: example.pair, kind: example.kind } : example;
const bytesOf = (examples: readonly Example[]) =>
  Buffer.concat(Array.from(writtenRows(examples), (part) => Buffer.from(part)));

/** Keeps bytes elsewhere: what was read before is gone with the next reading. */
const elsewhere: ByteKeeper = (bytes) => {
  const kept = bytes.slice();
  bytes.fill(255); // they are the packer's again
  return (from, to) => {
    window.fill(255);
    window.set(kept.subarray(from, to));
    return window.subarray(0, to - from);
  };
};
const window = new Uint8Array(2 ** 16);

test.each([
  ["in memory", undefined],
  ["elsewhere", elsewhere],
])("rows packed %s are written, found alike and remarked on as the same rows unpacked", (_, keep) => {
  fc.assert(
    fc.property(drawnRows, (rows) => {
      const packed = textPacker(keep)(rows);
      expect(packed.map(plain)).toEqual(rows.map(plain));
      expect(bytesOf(packed)).toEqual(bytesOf(rows));
      expect(alikeRows(setOf(packed))).toEqual(alikeRows(setOf(rows)));
      expect(rowRemarks(setOf(packed))).toEqual(rowRemarks(setOf(rows)));
    }),
  );
});

test("a row is written behind its lengths, whatever part it begins in", () => {
  const long = "x".repeat(2 ** 21);
  const rows = [long, "b", long.slice(5)].map((text) => ({ kind: "text" as const, text, label: "l" }));
  const written = rows.map(({ text }) => `text ${text.length} 0 "l" ${text} \n`).join("");
  expect(bytesOf(rows).equals(Buffer.from(written))).toBe(true);
  expect(bytesOf(textPacker()(rows)).equals(Buffer.from(written))).toBe(true);
});
