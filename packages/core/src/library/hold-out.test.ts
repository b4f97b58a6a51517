import { expect, test } from "vitest";
import { readExamples } from "../data/rows/columns.ts";
import { type ExampleSet, rowLabel } from "../data/rows/examples.ts";
import { keysOf, table } from "../data/tables/table.ts";
import { holdOutRows } from "./hold-out.ts";

function setOf(given: readonly { readonly text: string; readonly label: string }[]): ExampleSet {
  return readExamples(
    table(
      "rows",
      keysOf(given),
      given,
      Uint32Array.from(given, (_, row) => row + 1),
    ),
  );
}
const texts = ({ examples }: ExampleSet) =>
  examples.flatMap((example) => (example.kind === "text" ? [example.text] : []));
const rows = Array.from({ length: 40 }, (_, row) => ({ text: `text ${row}`, label: row % 2 ? "odd" : "even" }));

test("rows that are alike are held out together, and scored once", () => {
  const { train, validation } = holdOutRows(setOf([...rows, ...rows]), 0.25, 3);
  expect(new Set(texts(validation)).size).toBe(10);
  expect(validation.examples).toHaveLength(10);
  expect(train.examples).toHaveLength(60);
  expect(texts(train).filter((text) => texts(validation).includes(text))).toEqual([]);
});

test("of each class the same share is held out, whatever the seed", () => {
  const uneven = rows.map((row, at) => ({ ...row, label: at < 30 ? "often" : "seldom" }));
  for (const seed of [0, 1, 2, 3]) {
    const { validation } = holdOutRows(setOf(uneven), 0.2, seed, "classification");
    const labels = validation.examples.map(rowLabel);
    expect([labels.length, labels.filter((label) => label === "seldom").length]).toEqual([8, 2]);
  }
});

test("a text with two labels is held out with both", () => {
  const both = rows.flatMap((row) => [row, { ...row, label: "third" }]);
  const { train, validation } = holdOutRows(setOf(both), 0.25, 3);
  expect(validation.examples).toHaveLength(20);
  expect(texts(train).filter((text) => texts(validation).includes(text))).toEqual([]);
});

test("where fewer than ten rows differ, every copy is a row of its own", () => {
  const { train, validation } = holdOutRows(setOf([...rows.slice(0, 4), ...rows.slice(0, 4)]), 0.25, 3);
  expect([train.examples.length, validation.examples.length]).toEqual([6, 2]);
});
