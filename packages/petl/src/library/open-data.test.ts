import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type ExampleSet, type GuessedTask, holdOutRows, type Task } from "@petl/core";
import { afterAll, expect, expectTypeOf, test } from "vitest";
import { openData } from "./open-data.ts";
import { openTiny, testFolder, writeRows } from "./open-tiny.fake.ts";

const folder = testFolder();
const base = await openTiny(folder);
afterAll(() => base.close());
const file = writeRows(folder, "rows.csv");
const places = (set: ExampleSet) => set.examples.map((_, index) => set.placeOf(index));

test("task and classes are found, and said", async () => {
  const data = await openData(file, base);
  expect(data).toMatchObject({ task: "classification", labels: ["bad", "good"], test: undefined });
  expect(data.remarks.slice(-1)).toEqual(["task: classification, since labels are 2 names (good, bad)"]);
});

test("a share is held out: every row is on one side, named by its own line, and the same seed parts alike", async () => {
  const { train, validation } = await openData(file, base, { validation: 0.25 });
  expect([train.examples.length, validation.examples.length]).toEqual([18, 6]);
  const lines = [...places(train), ...places(validation)].map((place) =>
    Number(/rows\.csv line (\d+)$/.exec(place)?.[1]),
  );
  expect(lines.sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, row) => row + 2));
  expect(places((await openData(file, base, { validation: 0.25 })).validation)).toEqual(places(validation));
  const other = await openData(file, base, { validation: 0.25, seed: 1 });
  expect(places(other.validation)).not.toEqual(places(validation));
});

test("rows of a weighted file are held out before they are weighed: no copy of a scored row is trained on", async () => {
  const { train, validation } = await openData(`${file}=2.5`, base, { validation: 0.25 });
  const [trained, scored] = [places(train), places(validation)];
  expect(new Set(scored).size).toBe(6);
  expect(scored).toHaveLength(6);
  expect(trained.filter((place) => scored.includes(place))).toEqual([]);
  expect(new Set([...trained, ...scored]).size).toBe(24);
  expect(trained.length).toBeGreaterThanOrEqual(2 * 18);
  const alone = await openData(file, base, { validation: 0.25 });
  expect(places(alone.validation)).toEqual(scored);
});

test("without a word a tenth is held out, or the folder's own validation and test files are taken", async () => {
  const { validation } = await openData(file, base);
  expect(validation.examples.length).toBe(2);
  const split = join(folder, "split");
  mkdirSync(split);
  for (const [name, repeated] of [
    ["train.csv", 3],
    ["dev.csv", 2],
    ["test.csv", 1],
  ] as const)
    writeRows(split, name, repeated);
  const data = await openData(split, base);
  expect([data.train, data.validation, data.test].map((set) => set?.examples.length)).toEqual([18, 12, 6]);
});

test("rows that are parted keep their examples", async () => {
  const { train } = await openData(file, base);
  const { train: kept, validation: held } = holdOutRows(train, 0.5, 0);
  const texts = (set: ExampleSet) => set.examples.map((example) => JSON.stringify(example));
  expect([...texts(kept), ...texts(held)].sort()).toEqual([...texts(train)].sort());
});

test("what cannot be is refused in words", async () => {
  await expect(openData(file, base, { validation: 1.5 })).rejects.toThrow("is no share: one lies between 0 and 1");
  await expect(openData(join(folder, "rows.tsv"), base)).rejects.toThrow("there is no data file or folder");
  await expect(openData(file, base, { label: "lable" })).rejects.toThrow('has no column "lable"');
});

test("types know of a guessed task what the rows' own type says, and no more", () => {
  expectTypeOf<GuessedTask<{ text: string; labels: string[] }[]>>().toEqualTypeOf<"multi-label">();
  expectTypeOf<GuessedTask<{ train: { text: string; labels: string[] }[] }>>().toEqualTypeOf<"multi-label">();
  expectTypeOf<GuessedTask<{ text: string; label: string }[]>>().toEqualTypeOf<Task>();
  expectTypeOf<GuessedTask<string>>().toEqualTypeOf<Task>();
  // biome-ignore lint/suspicious/noExplicitAny: what JSON.parse gives
  expectTypeOf<GuessedTask<any>>().toEqualTypeOf<Task>();
});
