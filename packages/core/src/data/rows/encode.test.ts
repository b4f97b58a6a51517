import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { causalLm } from "../../objectives/causal-lm.ts";
import { classification } from "../../objectives/classification.ts";
import { maskedLm } from "../../objectives/masked-lm.ts";
import { multiLabel } from "../../objectives/multi-label.ts";
import { regression } from "../../objectives/regression.ts";
import { tokenClassification } from "../../objectives/token-classification.ts";
import { readTable } from "../tables/readers.ts";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import { readExamples } from "./columns.ts";
import { encodeExamples } from "./encode.ts";
import { labelMap, learnLabels } from "./labels.ts";

const none = labelMap([]); // of tasks without classes

const golden = new URL("../../../golden/tokenizer/", import.meta.url);
const tokenizer = loadTokenizer({ "tokenizer.json": readFileSync(new URL("tiny-wordpiece.json", golden), "utf8") });
const set = async (name: string, text: string) => readExamples(await readTable(name, new TextEncoder().encode(text)));
const options = { tokenizer, maxLength: 16 };

test("text becomes the tokenizer's ids, cut to the length, with its class", async () => {
  const data = await set("t.csv", "premise,hypothesis,label\nthe film,was good,yes\nthe movie,was bad,no\n");
  const rows = encodeExamples(data, classification.targets(learnLabels(data)), { tokenizer, maxLength: 5 });
  expect(rows.map(({ target }) => target)).toEqual([
    { kind: "class", id: 1 },
    { kind: "class", id: 0 },
  ]);
  expect(rows[0]).toMatchObject(tokenizer.encode("the film", "was good", 5));
  expect(rows[0]!.inputIds.length).toBe(5);
});

test("of a word only the first token has a class", async () => {
  const data = await set("t.jsonl", '{"tokens":["xylo","the"],"tags":["A","B"]}');
  const [row] = encodeExamples(data, tokenClassification.targets(learnLabels(data)), options);
  const pieces = tokenizer.encode("xylo").inputIds.length - 2;
  expect(pieces).toBeGreaterThan(1);
  const rest = Array.from({ length: pieces - 1 }, () => -100);
  expect(row!.target).toEqual({ kind: "tokens", ids: Int32Array.from([-100, 0, ...rest, 1, -100]) });
});

test("rows of tokens pass as they are, with the numbers of a regression", async () => {
  const data = await set("t.jsonl", '{"input_ids":[7,8],"attention_mask":[0,1],"label":2.5}');
  const [row] = encodeExamples(data, regression.targets(none), { maxLength: 2 });
  expect(row).toEqual({
    inputIds: Int32Array.of(7, 8),
    attentionMask: Int32Array.of(0, 1),
    target: { kind: "value", value: 2.5 },
  });
  expect(encodeExamples(data, undefined, { maxLength: 2 })[0]).not.toHaveProperty("target");
});

test("what can't be used is refused with its line", async () => {
  const rows = await set("t.jsonl", '{"input_ids":[1,2,3]}\n{"input_ids":[9]}');
  expect(() => encodeExamples(rows, undefined, { maxLength: 2, vocabularySize: 9 })).toThrow(
    "t.jsonl line 1: 3 input_ids; the model takes at most 2\nt.jsonl line 2: input id 9; the model knows 0 to 8",
  );
  const names = await set("t.csv", "text,label\na,good\nb,bad\n");
  expect(() => encodeExamples(names, regression.targets(none), options)).toThrow(
    't.csv line 2: label "good" is no number, which regression needs',
  );
  expect(() => encodeExamples(names, undefined, { maxLength: 8 })).toThrow(
    't.csv holds text; give rows with "input_ids"',
  );
  const labels = learnLabels(names);
  expect(() => encodeExamples(names, tokenClassification.targets(labels), options)).toThrow(
    "t.csv has one label a row, which token-classification can't use",
  );
});

test("a row of tokens without labels is its own beside rows that have some, and for no other task", async () => {
  const data = await set("t.jsonl", '{"input_ids":[7,8],"labels":[-100,8]}\n{"input_ids":[5,6]}');
  const rows = encodeExamples(data, causalLm.targets(none), { maxLength: 2 });
  expect(rows.map(({ target }) => target)).toEqual([
    { kind: "tokens", ids: Int32Array.of(8, -100) },
    { kind: "tokens", ids: Int32Array.of(6, -100) },
  ]);
  const asked = () => encodeExamples(data, maskedLm.targets(none), { maxLength: 2 });
  expect(asked).toThrow("t.jsonl line 2: no label, where other rows have one");
});

test("a list of as many numbers as the row has tokens is of the tokens, unless the task takes classes of the row", async () => {
  const uneven = await set("t.jsonl", '{"input_ids":[7,8],"labels":[0,1]}\n{"input_ids":[5,6],"labels":[2]}');
  const labels = labelMap(["joy", "anger", "fear"]);
  for (const rule of [tokenClassification.targets(labels), maskedLm.targets(none), causalLm.targets(none)])
    expect(() => encodeExamples(uneven, rule, { maxLength: 2 })).toThrow("t.jsonl line 2: 1 labels for 2 input_ids");
  const rows = encodeExamples(uneven, multiLabel.targets(labels), { maxLength: 2 });
  expect(rows.map(({ target }) => target)).toEqual([
    { kind: "classes", has: Float32Array.of(1, 1, 0) },
    { kind: "classes", has: Float32Array.of(0, 0, 1) },
  ]);
});

test("any number of labels are lists of names, cells that a separator parts, or vectors of 0 and 1", async () => {
  const parted = readExamples(
    await readTable("t.csv", new TextEncoder().encode("text,labels\na,joy; fear\nb,\nc,anger;\n")),
    { labelSeparator: ";" },
  );
  const labels = multiLabel.learn?.(parted) ?? none;
  expect(labels.names).toEqual(["anger", "fear", "joy"]);
  const listed = await set(
    "t.jsonl",
    '{"text":"a","labels":["joy","fear"]}\n{"text":"b","labels":[]}\n{"text":"c","labels":["anger"]}',
  );
  const vectors = await set(
    "t.jsonl",
    '{"input_ids":[4],"labels":[0,1,1]}\n{"input_ids":[5],"labels":[0,0,0]}\n{"input_ids":[6],"labels":[1,0,0]}',
  );
  expect(multiLabel.learn?.(vectors).labels).toEqual([0, 1, 2]);
  for (const rows of [parted, listed, vectors]) {
    const encoded = encodeExamples(rows, multiLabel.targets(labels), options);
    expect(encoded.map(({ target }) => target)).toEqual([
      { kind: "classes", has: Float32Array.of(0, 1, 1) },
      { kind: "classes", has: Float32Array.of(0, 0, 0) },
      { kind: "classes", has: Float32Array.of(1, 0, 0) },
    ]);
  }
  const wrong = await set("t.jsonl", '{"input_ids":[4],"labels":[0,3]}\n{"input_ids":[5],"labels":[1,1,1,1]}');
  expect(() => encodeExamples(wrong, multiLabel.targets(labels), options)).toThrow(
    "t.jsonl line 1: label 3; the classes are 0 to 2\nt.jsonl line 2: 4 labels that repeat themselves",
  );
  const single = await set("t.csv", "text,label\na,joy;fear\nb,joy\n");
  expect(() => encodeExamples(single, multiLabel.targets(labels), options)).toThrow(
    "t.csv has one label a row, which multi-label can't use; give lists of labels, or a cell with several and `labelSeparator`",
  );
});
