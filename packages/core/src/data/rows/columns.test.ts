import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { ColumnChoice } from "../tables/choose-columns.ts";
import { readTable } from "../tables/readers.ts";
import { type Table, table } from "../tables/table.ts";
import { readExamples, readParts, readRows } from "./columns.ts";
import { joinSets, rowLabel } from "./examples.ts";
import { guessTask } from "./task.ts";

const set = async (name: string, text: string, choice: ColumnChoice = {}) =>
  readExamples(await readTable(name, new TextEncoder().encode(text)), choice);
const message = (name: string, text: string, choice: ColumnChoice = {}) =>
  set(name, text, choice).then(
    () => "no error",
    (error: Error) => error.message,
  );
/** The columns that are read. */
const named = ({ columns: { leftOut: _, ...read } }: Awaited<ReturnType<typeof set>>) => read;
const ids = (...values: number[]) => Int32Array.from(values);

test("bytes that are no text are refused where texts are asked for", () => {
  const rows = [{ text: Uint8Array.of(0xff), label: "a" }];
  expect(() => readExamples(table("t.parquet", ["text", "label"], rows, [1], "row"))).toThrow(
    't.parquet row 1: "text" is bytes that are no UTF-8 instead of text',
  );
});

test("text, pair and label are found by their usual names in any case", async () => {
  const header = async (columns: string) =>
    named(
      await set(
        "t.csv",
        `${columns}\n${columns
          .split(",")
          .map(() => "1")
          .join(",")}\n`,
      ),
    );
  expect(await header("sentence,label")).toEqual({ text: "sentence", label: "label" });
  expect(await header("idx,Text,Label")).toEqual({ text: "Text", label: "Label" });
  expect(await header("index,question,sentence,label")).toEqual({ text: "question", pair: "sentence", label: "label" });
  expect(await header("label,hypothesis,premise")).toEqual({ text: "premise", pair: "hypothesis", label: "label" });
  expect(await header("id,question1,question2,is_duplicate")).toEqual({
    text: "question1",
    pair: "question2",
    label: "is_duplicate",
  });
  expect(await header("sentence1,sentence2,score")).toEqual({ text: "sentence1", pair: "sentence2", label: "score" });
  expect(await header("utterance,intent")).toEqual({ text: "utterance", label: "intent" });
  expect(await header("text,label,label_text")).toEqual({ text: "text", label: "label" });
  expect(await header("class,title,description")).toEqual({ text: "title", pair: "description", label: "class" });
  expect(await header("index,sentence")).toEqual({ text: "sentence" });
});

test("named columns win, and a named text has no pair unless one is named", async () => {
  const file = "sentence1,sentence2,label,mood\na,b,1,x\n";
  expect((await set("t.csv", file, { text: "sentence2", label: "mood" })).examples).toEqual([
    { kind: "text", text: "b", label: "x" },
  ]);
  expect((await set("t.csv", file, { text: "sentence2", textPair: "sentence1" })).examples).toEqual([
    { kind: "text", text: "b", pair: "a", label: "1" },
  ]);
});

test("a column that is missing or could be several is refused with what there is", async () => {
  expect(await message("t.csv", "sentence,label\na,1\n", { text: "sentense" })).toBe(
    't.csv has no column "sentense"; did you mean "sentence"?; its columns: sentence, label',
  );
  expect(await message("t.csv", "review,title,label\na,b,1\n")).toBe(
    't.csv: "review", "title" could each be the text; choose with `text`, and a second one that belongs to it with `textPair`',
  );
  expect(await message("t.csv", "text,category,emotion\na,b,c\n")).toMatch(
    /"category", "emotion" could each be the label/,
  );
  expect(
    await message("t.tsv", "gj04\t1\t\tThe sailors rode the breeze clear of the rocks.\ngj04\t1\t\tBill.\n"),
  ).toMatch(
    /no column looks like the text; name it with `text`; its columns: gj04, 1, column3, The sailors.*; where the first line is a row already, say `header: false`/,
  );
});

test("cells of CSV are texts, whatever stands beside them; JSON knows numbers and booleans", async () => {
  const labels = async (...values: string[]) =>
    (await set("t.csv", `text,label\n${values.map((value) => `x,${value}\n`).join("")}`)).examples.map(
      (example) => example.kind === "text" && example.label,
    );
  expect(await labels("1", "01", " 1 ", "two")).toEqual(["1", "01", "1", "two"]);
  const json = '{"text":"a","label":1}\n{"text":"b","label":"1"}\n{"text":"c","label":true}\n';
  expect((await set("t.jsonl", json)).examples.map(rowLabel)).toEqual([1, "1", true]);
});

test("files of one data set are judged together: labels in some of them alone are refused, -1 in all are none", async () => {
  const rows = async (name: string, text: string) => readRows(await readTable(name, new TextEncoder().encode(text)));
  const [labelled, bare, hidden] = [
    await rows("a.csv", "text,label\na,-1\nb,2\n"),
    await rows("b.csv", "text\nc\n"),
    await rows("c.csv", "text,label\nd,-1\n"),
  ];
  expect(() => joinSets([labelled, bare])).toThrow("b.csv line 2: no label, where other rows have one");
  expect(joinSets([labelled, hidden]).examples.map(rowLabel)).toEqual(["-1", "2", "-1"]);
  expect(joinSets([hidden, hidden]).examples.map(rowLabel)).toEqual([undefined, undefined]);
  expect(() => joinSets([bare, { ...bare, examples: [{ kind: "words", words: ["a"] }] }])).toThrow(
    "the files of one data set hold rows of one kind: b.csv holds rows of text, b.csv holds rows of words",
  );
});

test("labels that are all -1, as hidden test sets have them, are none", async () => {
  expect((await set("t.jsonl", '{"text":"a","label":-1}\n{"text":"b","label":-1}\n')).examples).toEqual([
    { kind: "text", text: "a" },
    { kind: "text", text: "b" },
  ]);
});

test("rows of tokens are read, and everything wrong with them is named by line", async () => {
  const good = '{"input_ids":[1,2],"attention_mask":[1,0],"token_type_ids":[0,1],"label":1}\n';
  expect((await set("t.jsonl", good)).examples).toEqual([
    { kind: "tokens", inputIds: ids(1, 2), attentionMask: ids(1, 0), tokenTypeIds: ids(0, 1), label: 1 },
  ]);
  expect((await set("t.jsonl", '{"input_ids":[1,2],"labels":[-100,3]}\n')).examples).toEqual([
    { kind: "tokens", inputIds: ids(1, 2), labels: ids(-100, 3) },
  ]);
  expect((await set("t.jsonl", '{"input_ids":[1,2],"labels":3}\n')).examples[0]).toMatchObject({ label: 3 });
  const bad = [
    '{"input_ids":[1,-2]}',
    '{"input_ids":[1,2.5]}',
    '{"input_ids":[1,2],"attention_mask":[1]}',
    '{"input_ids":[1,2],"attention_mask":[1,2]}',
    '{"input_ids":"1 2"}',
    '{"input_ids":[]}',
    '{"label":1}',
    '{"input_ids":[1],"label":{}}',
  ];
  expect((await message("t.jsonl", bad.join("\n"))).split("\n")).toEqual([
    't.jsonl line 1: "input_ids" holds -2; expected integers from 0',
    't.jsonl line 2: "input_ids" holds 2.5; expected integers from 0',
    "t.jsonl line 3: 1 attention_mask for 2 input_ids",
    't.jsonl line 4: "attention_mask" holds 2; expected 0 or 1',
    't.jsonl line 5: "input_ids" is a string instead of a list of integers from 0',
    't.jsonl line 6: "input_ids" is empty',
    't.jsonl line 7: "input_ids" is missing',
    't.jsonl line 8: "label" is an object instead of a label',
  ]);
});

test("words with their tags are read, and lists of unequal length are named", async () => {
  const good = '{"tokens":["EU","rejects"],"ner_tags":[3,0]}\n{"tokens":["a"],"ner_tags":[0]}\n';
  expect((await set("t.jsonl", good)).examples[0]).toEqual({ kind: "words", words: ["EU", "rejects"], labels: [3, 0] });
  expect((await set("t.conll", "EU B-ORG\nrejects O\n")).examples[0]).toMatchObject({ labels: ["B-ORG", "O"] });
  expect(
    await message("t.jsonl", '{"tokens":["EU","rejects"],"tags":["O"]}\n{"tokens":["a",1],"tags":["O","O"]}'),
  ).toBe('t.jsonl line 1: 1 tags for 2 tokens\nt.jsonl line 2: "tokens" holds 1; expected a list of words');
});

test("a text or a label that is missing in some rows is named by line", async () => {
  expect(await message("t.jsonl", '{"text":"a","label":1}\n{"text":null,"label":1}\n{"label":0}')).toBe(
    't.jsonl line 2: "text" is null instead of text\nt.jsonl line 3: "text" is missing instead of text',
  );
  expect(await message("t.csv", "text,label\na,1\nb,\n")).toBe("t.csv line 3: no label, where other rows have one");
});

test("the task follows from the labels, and the reason is said", async () => {
  const guess = async (name: string, text: string) => guessTask(await set(name, text));
  expect(await guess("t.csv", "text,label\na,1\nb,0\n")).toEqual({
    task: "classification",
    why: "labels are 2 integers (1, 0)",
  });
  expect(await guess("t.csv", "text,label\na,joy\nb,fear\n")).toEqual({
    task: "classification",
    why: "labels are 2 names (joy, fear)",
  });
  expect(await guess("t.csv", "sentence1,sentence2,score\na,b,5\nc,d,3.8\n")).toEqual({
    task: "regression",
    why: "labels are numbers, and t.csv line 3 has 3.8",
  });
  expect((await guess("t.csv", "text,label\na,nan\nb,0.5\nc,-inf\n")).task).toBe("regression"); // which names these lines
  expect((await guess("t.csv", "text,label\na,n/a\nb,1\nc,2\n")).task).toBe("classification");
  expect((await guess("t.jsonl", '{"input_ids":[1],"labels":[0]}')).task).toBe("token-classification");
  expect((await guess("t.conll", "EU B-ORG\n")).why).toBe("every word has a label");
  await expect(guess("t.csv", "index,text\n0,a\n")).rejects.toThrow('t.csv has no labels beside "text"');
});

test("what the parts of a file are packed in goes with the last one, while the rows stay", async () => {
  setFlagsFromString("--expose-gc");
  const held = () => {
    runInNewContext("gc")();
    return process.memoryUsage().arrayBuffers;
  };
  const rows = Array.from({ length: 1000 }, (_, row) => ({ text: `${row} ${"letters ".repeat(1000)}`, label: "a" }));
  async function* parts(): AsyncGenerator<Table> {
    yield table("t.parquet", ["text", "label"], rows, Uint32Array.from(rows.keys()), "row");
  }
  const before = held();
  const read = await readParts(parts(), {}, () => () => new Uint8Array());
  await expect.poll(() => held() - before).toBeLessThan(1e6); // 8 million letters were packed
  expect(read.placeOf(999)).toBe("t.parquet row 999");
});
