import { expect, test } from "vitest";
import { readTable } from "../tables/readers.ts";
import { readExamples } from "./columns.ts";
import { joinSets, weightedSet } from "./examples.ts";
import { copyRemarks, rowRemarks } from "./row-remarks.ts";
import { shownLabel } from "./shown-label.ts";

const set = async (text: string, name = "t.csv") => readExamples(await readTable(name, new TextEncoder().encode(text)));

test("rows and labels are counted, and columns that are not read are named", async () => {
  expect(rowRemarks(await set("id,text,label\n1,a,good\n2,b,bad\n3,c,good\n"))).toEqual([
    "t.csv: 3 rows; bad: 1, good: 2",
    't.csv: text in "text", labels in "label"',
    't.csv: not read: "id"',
  ]);
  expect(rowRemarks(await set("text,label\na,0.5\nb,1.5\n"))).toEqual([
    "t.csv: 2 rows",
    't.csv: text in "text", labels in "label"',
  ]);
});

test("of files that are joined each is counted, and named with its columns where these are others", async () => {
  const files = [
    await set("text,label\na,x\nb,y\n", "one.csv"),
    await set("text,label\nc,x\n", "two.csv"),
    await set("id,review,stars\n1,d,x\n", "three.csv"),
  ];
  expect(rowRemarks(joinSets(files.slice(0, 2)))).toEqual([
    "one.csv and two.csv: 3 rows; x: 2, y: 1",
    'one.csv: text in "text", labels in "label"',
  ]);
  expect(rowRemarks(joinSets(files))).toEqual([
    "one.csv and 2 other files: 4 rows; x: 3, y: 1",
    'one.csv: text in "text", labels in "label"',
    'three.csv: text in "review", labels in "stars"',
    'three.csv: not read: "id"',
  ]);
});

test("labels of several types are said", async () => {
  const rows = [0, false, 1, true, "yes"].map((label) => JSON.stringify({ text: `about ${label}`, label }));
  expect(rowRemarks(await set(rows.join("\n"), "t.jsonl")).slice(2)).toEqual([
    "labels are numbers (0) and truth values (false) and texts (yes) at once, each a label of its own",
  ]);
});

test("what looks wrong is said: empty texts, cases, lone labels, decimal commas, rows of both sides", async () => {
  const lines = Array.from({ length: 9 }, (_, row) => `text ${row},good`);
  const train = await set(`text,label\n${lines.join("\n")}\n,Good\nx,"3,5"\ny,"2,5"\n`);
  const validation = await set("text,label\nnew,good\ntext 3,good\n", "v.csv");
  expect(rowRemarks(train, validation).slice(2)).toEqual([
    "1 row with an empty text, the first of them t.csv line 11",
    "labels that differ by case only are labels of their own: Good/good",
    "labels of one row: Good, 3,5, 2,5",
    "labels with a decimal comma are texts, not numbers: 2,5, 3,5; write them with a point",
    "1 row of the validation stand in the training rows too, the first of them v.csv line 3",
  ]);
});

test("texts with a zero byte are said, of pairs and completions too", async () => {
  expect(rowRemarks(await set("text,label\na,x\nb\0,y\n\0c,x\n"))).toContain(
    "2 rows with a zero byte in the text, the first of them t.csv line 3",
  );
  expect(rowRemarks(await set("premise,hypothesis,label\na,b,x\na,b\0,y\n"))).toContain(
    "1 row with a zero byte in the text, the first of them t.csv line 3",
  );
  const completions = ["a", "b"].map((prompt) => JSON.stringify({ prompt, completion: `${prompt}\0` }));
  expect(rowRemarks(await set(completions.join("\n"), "t.jsonl"))).toContain(
    "2 rows with a zero byte in the text, the first of them t.jsonl line 1",
  );
});

test("texts and labels that stand for none, and numbers and lists that are texts, are said", async () => {
  const rows = ["NaN,none", "a,12%", 'b,"1.234,5"', `c,"['x', 'y']"`, "d,none", "e,1.0"];
  expect(rowRemarks(await set(`text,label\n${rows.join("\n")}\n`)).slice(2)).toEqual([
    '1 row whose text is "NaN" or the like, the first of them t.csv line 2',
    "labels that may stand for none are classes: none; leave their rows out if they are none",
    "labels with a decimal comma are texts, not numbers: 1.234,5; write them with a point",
    "labels that are numbers with a sign are texts: 12%; write them bare",
    "labels that are written as lists are one label each: ['x', 'y']; for several labels a row give JSONL with lists, or cells and `labelSeparator`",
  ]);
  expect(rowRemarks(await set("text,label\na,0.0\nb,1.0\n"))[0]).toBe("t.csv: 2 rows; 0.0: 1, 1.0: 1");
  expect(rowRemarks(await set("text,label\na,x\nb,x; y\nc,y\n")).at(-1)).toBe(
    'labels that hold others are one label each: x; y; for several labels a row say `labelSeparator: ";"`',
  );
  const lone = Array.from({ length: 12 }, (_, row) => `${row},id ${row}`).join("\n");
  expect(rowRemarks(await set(`text,label\n${lone}\n`)).at(-1)).toMatch(/is "label" the column of the labels\?$/);
});

test("numbers with fractions are no classes, so that nothing is said of those that come once", async () => {
  const lines = Array.from({ length: 12 }, (_, row) => `text ${row},${row}.5`);
  expect(rowRemarks(await set(`text,label\n${lines.join("\n")}\n`))).toHaveLength(2);
});

test("labels that only look the same are said, and a label of several lines stays in one", async () => {
  const said = rowRemarks(await set('text,label\na,caf\u00e9\nb,cafe\u0301\nc,"one\ntwo"\n'));
  expect(said[0]).toContain("one\\ntwo: 1");
  expect(said.at(-1)).toBe("labels that look the same are labels of their own: cafe\u0301/caf\u00e9");
});

test("letters that steer a terminal or turn the writing stand in labels as JSON writes them", () => {
  expect(["a\tb", "\u001b[2J", "\u009b1m", "\u202ereversed", "soft\u00adhyphen"].map(shownLabel)).toEqual([
    "a\\tb",
    "\\u001b[2J",
    "\\u009b1m",
    "\\u202ereversed",
    "soft\\u00adhyphen",
  ]);
  expect(shownLabel("\u{1f468}\u200d\u{1f467}")).toBe("\u{1f468}\u200d\u{1f467}");
});

test("copies are counted, and texts that have several labels", async () => {
  const twice = await set("text,label\na,good\nb,bad\na,good\na,bad\n");
  expect(copyRemarks(twice, true)).toEqual([
    "2 rows say what another one says, the first of them t.csv line 4 as t.csv line 2; they are held out together and scored once",
    "1 row give a text another label than its first row, the first of them t.csv line 5 as t.csv line 2",
  ]);
  expect(copyRemarks(weightedSet(await set("text,label\na,good\nb,bad\n"), 3), true)).toEqual([]);
});
