import { expect, test } from "vitest";
import type { Example, ExampleSet, Label } from "./examples.ts";
import { checkLabels, labelMap, learnLabels } from "./labels.ts";

const setOf = (examples: readonly Example[]): ExampleSet => ({
  name: "t.csv",
  examples,
  placeOf: (index) => `t.csv line ${index + 2}`,
  columns: { text: "text" },
});
const labelled = (...labels: Label[]) => setOf(labels.map((label) => ({ kind: "text", text: "x", label })));
const tokens = (...labels: number[]) =>
  setOf([{ kind: "tokens", inputIds: new Int32Array(labels.length), labels: Int32Array.from(labels) }]);

test("classes are the data's own labels, numbers by size in front of texts", () => {
  expect(learnLabels(labelled(2, 0, 1, 0)).labels).toEqual([0, 1, 2]);
  expect(learnLabels(labelled("10", "9", "01", "b", "2.5")).labels).toEqual(["2.5", "9", "10", "01", "b"]);
  expect(learnLabels(labelled("9007199254740993", "9007199254740992")).names).toEqual([
    "9007199254740992",
    "9007199254740993",
  ]);
  expect(learnLabels(labelled(true, false)).labels).toEqual([false, true]);
  expect(learnLabels(labelled("joy", "Zorn", "fear")).names).toEqual(["Zorn", "fear", "joy"]);
  const stars = learnLabels(labelled(10, 2, 1));
  expect(stars.names).toEqual(["1", "2", "10"]);
  expect([1, 2, 10, 0].map((label) => stars.idOf(label))).toEqual([0, 1, 2, undefined]);
  expect(learnLabels(labelled(0, 4)).names).toEqual(["0", "4"]);
});

test("integers beside tokens are class numbers also where a class has no row, and -100 is none of them", () => {
  expect(learnLabels(tokens(-100, 3, 0, -100)).names.length).toBe(4);
  expect(learnLabels(setOf([{ kind: "tokens", inputIds: Int32Array.of(1), label: 2 }])).names.length).toBe(3);
  expect(learnLabels(setOf([{ kind: "words", words: ["a", "b"], labels: ["O", "B-ORG"] }])).names).toEqual([
    "B-ORG",
    "O",
  ]);
});

test("an identifier in place of a class number is refused before it makes a giant head", () => {
  expect(() => learnLabels(tokens(0, 2_000_000_000))).toThrow("a label is 2000000000; class numbers stay below 100000");
});

test("the number 5 and the text 5 are one class, digits with a leading zero another", () => {
  const mixed = learnLabels(labelled(5, "5", "05"));
  expect(mixed.labels).toEqual(["5", "05"]);
  expect([5, "5", "05", true].map((label) => mixed.idOf(label))).toEqual([0, 0, 1, undefined]);
});

test("what a label means depends on the classes' names alone: by name, in another case, by number", () => {
  const ids = (names: Label[], ...labels: Label[]) => labels.map((label) => labelMap(names).idOf(label));
  expect(ids(["01", "02", "other"], "01", 1, "1", 0)).toEqual([0, undefined, undefined, undefined]);
  expect(ids(["1 star", "2 stars"], 0, 1)).toEqual([undefined, undefined]);
  expect(ids(["LABEL_0", "LABEL_1"], 0, "1", "label_1", "01")).toEqual([0, 1, 1, undefined]);
  expect(ids(["US", "us", "Them"], "US", "us", "Us", "THEM")).toEqual([0, 1, undefined, 2]);
});

test("one class is no classification", () => {
  expect(() => learnLabels(labelled("a", "a"))).toThrow(
    'every row has the label "a"; classification needs at least two',
  );
});

test("given classes take names and numbers", () => {
  const map = labelMap(["negative", "positive"]);
  expect(["negative", "positive", 0, "1", 2, -1, "neutral"].map((label) => map.idOf(label))).toEqual([
    0,
    1,
    0,
    1,
    undefined,
    undefined,
    undefined,
  ]);
});

test("labels that given classes don't have are named by line with the allowed ones", () => {
  const map = labelMap(["negative", "positive"]);
  expect(() => checkLabels(labelled("positive", "positiv"), map)).toThrow(
    't.csv line 3: unknown label "positiv"; did you mean "positive"?; allowed: negative, positive',
  );
  expect(() => checkLabels(labelled(1, 2), map)).toThrow(
    "t.csv line 3: label 2 is not one of the 2 classes; allowed: negative, positive",
  );
  expect(() => checkLabels(tokens(-100, 1), map)).not.toThrow();
});
