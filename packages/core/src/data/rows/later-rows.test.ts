import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { classification } from "../../objectives/classification.ts";
import { readTable } from "../tables/readers.ts";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import { readExamples } from "./columns.ts";
import { encodeExamples } from "./encode.ts";
import { rowsAt } from "./encoded-rows.ts";
import { labelMap, learnLabels } from "./labels.ts";
import { isLarge, laterRows } from "./later-rows.ts";

const golden = new URL("../../../golden/tokenizer/", import.meta.url);
const tokenizer = loadTokenizer({ "tokenizer.json": readFileSync(new URL("tiny-wordpiece.json", golden), "utf8") });
const text = "text,label\nthe film was good,yes\nthe movie was bad,no\nbad,no\n";
const set = readExamples(await readTable("t.csv", new TextEncoder().encode(text)));
const options = { tokenizer, maxLength: 5 };

test("rows that become tokens later are those that become tokens now", async () => {
  const rule = classification.targets(learnLabels(set));
  const { rows, remarks } = laterRows(set, rule, options);
  expect(await rowsAt(rows, [0, 1, 2])).toEqual(encodeExamples(set, rule, options));
  expect(rows).toMatchObject({ length: 3, areEstimates: true });
  expect(remarks).toEqual([
    "3 rows become tokens as they are read",
    "about 67 % of the rows reach 5 tokens and are cut there (`maxLength`)",
  ]);
});

test("labels are checked before the first row is read", () => {
  expect(() => laterRows(set, classification.targets(labelMap(["yes"])), options)).toThrow('unknown label "no"');
});

test("a set is large by its letters, and only where its rows are texts", () => {
  expect(isLarge(set)).toBe(false);
  const long = { kind: "text" as const, text: "a".repeat(1e6) };
  const many = Array.from({ length: 64 }, () => long);
  expect(isLarge({ ...set, examples: many })).toBe(true);
  expect(isLarge({ ...set, examples: [...many, { kind: "completion", prompt: "", completion: "" }] })).toBe(false);
});
