import fc from "fast-check";
import { expect, test } from "vitest";
import { type PackedRow, type Paragraph, packSentences, packTokens } from "./pack-rows.ts";

/** A word is as many tokens as it has characters. */
const idsOf = (text: string) => [...text.replace(/\s+/g, "")].map((character) => character.codePointAt(0) ?? 0);

const word = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom("a", "b", "C", "é") });
const sentence = fc.array(word, { minLength: 1, maxLength: 30 }).map((words) => `${words.join(" ")}.`);
const paragraph = fc.array(sentence, { minLength: 1, maxLength: 4 }).map((all) => all.join(" "));
const documents = fc.array(fc.array(paragraph, { maxLength: 4 }), { maxLength: 4 });

async function* streamOf(all: readonly (readonly string[])[]): AsyncGenerator<Paragraph> {
  for (const [document, texts] of all.entries()) for (const text of texts) yield { text, document };
}

async function collected(rows: AsyncIterable<PackedRow>): Promise<readonly PackedRow[]> {
  const all: PackedRow[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

test("sentences: every token comes once in its order, and no row is longer than the room", async () => {
  await fc.assert(
    fc.asyncProperty(documents, fc.integer({ min: 3, max: 60 }), fc.nat(), async (all, room, seed) => {
      const rows = await collected(packSentences(streamOf(all), { idsOf, room, shortShare: 0.3, seed }));
      expect(rows.flatMap(({ ids }) => ids)).toEqual(all.flat().flatMap(idsOf));
      for (const { ids } of rows) {
        expect(ids.length).toBeLessThanOrEqual(room);
        expect(ids.length).toBeGreaterThan(0);
      }
    }),
  );
});

test("sentences: a row's text has the row's tokens where no word is longer than a row", async () => {
  await fc.assert(
    fc.asyncProperty(documents, fc.integer({ min: 13, max: 60 }), async (all, room) => {
      const rows = await collected(packSentences(streamOf(all), { idsOf, room, shortShare: 0.3, seed: 1 }));
      for (const { ids, text } of rows) expect(idsOf(text)).toEqual(ids);
    }),
  );
});

test("sentences: no row holds text of two documents, and a sentence that fits is not cut", async () => {
  const all = [["Aaa b. Ccc d. Eee f."], ["Ggg h. Iii j."]];
  const rows = await collected(packSentences(streamOf(all), { idsOf, room: 10, shortShare: 0, seed: 0 }));
  expect(rows.map(({ text }) => text)).toEqual(["Aaa b. Ccc d.", "Eee f.", "Ggg h. Iii j."]);
});

test("sentences: about the asked share of the rows is short", async () => {
  const all = [Array.from({ length: 4000 }, () => "Abc.")];
  const rows = await collected(packSentences(streamOf(all), { idsOf, room: 40, shortShare: 0.5, seed: 0 }));
  const short = rows.filter(({ ids }) => ids.length < 40).length / rows.length;
  expect(Math.abs(short - 0.5)).toBeLessThan(0.1); // some short limits lie within a sentence of the room
});

test("tokens: documents joined by their end token and cut into rows of one length, the last one shorter", async () => {
  await fc.assert(
    fc.asyncProperty(documents, fc.integer({ min: 2, max: 60 }), async (all, length) => {
      const rows = await collected(packTokens(streamOf(all), { idsOf, length, endId: 1 }));
      const whole = all.filter((texts) => texts.length > 0).flatMap((texts) => [...texts.flatMap(idsOf), 1]);
      expect(rows.flatMap(({ ids }) => ids)).toEqual(whole);
      for (const { ids } of rows.slice(0, -1)) expect(ids).toHaveLength(length);
    }),
  );
});
