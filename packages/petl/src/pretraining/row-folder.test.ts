import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { type KeptRow, openRowFolder, writeRowFolder } from "./row-folder.ts";

const scratch = mkdtempSync(join(tmpdir(), "petl-rows-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let folders = 0;

const vocabulary = 50;
const kept = fc.record({
  ids: fc.array(fc.nat(vocabulary - 1), { maxLength: 20 }).map((ids) => Int32Array.from(ids)),
  text: fc.string({ unit: "grapheme", maxLength: 20 }),
});

async function written(rows: readonly KeptRow[], keepTexts = true): Promise<string> {
  const path = join(scratch, `rows-${folders++}`);
  async function* stream() {
    yield* rows;
  }
  await writeRowFolder(path, stream(), { vocabulary, keepTexts, facts: { made: "by a test" } });
  return path;
}

test("rows come back by position, with their texts, lengths and the counts of their tokens", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(kept, { maxLength: 12 }), async (rows) => {
      const found = await openRowFolder(await written(rows));
      if (!found) throw new Error("no rows");
      expect(found.facts).toEqual({ made: "by a test" });
      expect(Array.from(found.lengths)).toEqual(rows.map(({ ids }) => ids.length));
      for (const [row, { ids, text }] of [...rows.entries()].reverse()) {
        expect((await found.at(row)).inputIds).toEqual(ids);
        expect(await found.textAt(row)).toBe(text);
      }
      const all = rows.flatMap(({ ids }) => [...ids]);
      expect([...found.counts]).toEqual(
        Array.from({ length: vocabulary }, (_, id) => all.filter((each) => each === id).length),
      );
      await found.close();
    }),
    { numRuns: 20 },
  );
});

test("without texts only the tokens lie on the disk", async () => {
  const rows = [{ ids: Int32Array.of(1, 2, 3), text: "one two three" }];
  const [bare, texted] = [await written(rows, false), await written(rows)];
  expect(readFileSync(join(bare, "rows.bin"))).toHaveLength(12);
  expect(readFileSync(join(texted, "rows.bin"))).toHaveLength(12 + 13);
});

test("where there is no folder there are no rows", async () => {
  expect(await openRowFolder(join(scratch, "nowhere"))).toBeUndefined();
});

test.each([
  ["a changed byte", "rows.bin", (bytes: Buffer) => bytes.fill(0xff, 0, 1), /"rows\.bin" have changed/],
  ["a lost byte", "rows.bin", (bytes: Buffer) => bytes.subarray(1), /"rows\.bin" has 19 bytes, not 20/],
  ["a changed length", "index.u32", (bytes: Buffer) => bytes.fill(9, 0, 1), /"index\.u32" have changed/],
  ["a spoiled manifest", "manifest.json", (bytes: Buffer) => bytes.subarray(9), /manifest\.json is missing or/],
])("%s is found before any row is read", async (_, name, spoil, message) => {
  const path = await written([{ ids: Int32Array.of(1, 2, 3, 4), text: "text" }]);
  writeFileSync(join(path, name), spoil(readFileSync(join(path, name))));
  await expect(openRowFolder(path)).rejects.toThrow(message);
  await expect(openRowFolder(path)).rejects.toThrow("remove it, and it is made again");
});
