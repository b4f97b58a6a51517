import { expect, test } from "vitest";
import { readTable } from "../tables/readers.ts";
import { readExamples } from "./columns.ts";
import { weightedSet } from "./examples.ts";
import { copyRemarks, rowRemarks } from "./row-remarks.ts";

const set = async (text: string, name = "t.csv") => readExamples(await readTable(name, new TextEncoder().encode(text)));

test("rows and labels are counted, and columns that are not read are named", async () => {
  expect(rowRemarks(await set("id,text,label\n1,a,good\n2,b,bad\n3,c,good\n"))).toEqual([
    "t.csv: 3 rows; bad: 1, good: 2",
    't.csv: not read: "id"',
  ]);
  expect(rowRemarks(await set("text,label\na,0.5\nb,1.5\n"))).toEqual(["t.csv: 2 rows"]);
});

test("what looks wrong is said: empty texts, cases, lone labels, decimal commas, rows of both sides", async () => {
  const lines = Array.from({ length: 9 }, (_, row) => `text ${row},good`);
  const train = await set(`text,label\n${lines.join("\n")}\n,Good\nx,"3,5"\ny,"2,5"\n`);
  const validation = await set("text,label\nnew,good\ntext 3,good\n", "v.csv");
  expect(rowRemarks(train, validation).slice(1)).toEqual([
    "1 row with an empty text, the first of them t.csv line 11",
    "labels that differ by case only are labels of their own: Good/good",
    "labels of one row: Good, 3,5, 2,5",
    "labels with a decimal comma are texts, not numbers: 2,5, 3,5; write them with a point",
    "1 row of the validation stand in the training rows too, the first of them v.csv line 3",
  ]);
});

test("copies are counted, and texts that have several labels", async () => {
  const twice = await set("text,label\na,good\nb,bad\na,good\na,bad\n");
  expect(copyRemarks(twice, true)).toEqual([
    "2 rows say what another one says, the first of them t.csv line 4 as t.csv line 2; they are held out together and scored once",
    "1 row give a text another label than its first row, the first of them t.csv line 5 as t.csv line 2",
  ]);
  expect(copyRemarks(weightedSet(await set("text,label\na,good\nb,bad\n"), 3), true)).toEqual([]);
});
