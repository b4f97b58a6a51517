import { expect, test } from "vitest";
import type { ExampleSet, Label } from "../data/rows/examples.ts";
import type { Parameter } from "../peft/parameter.ts";
import { zeros } from "../peft/parameter.ts";
import { emptyPhi, layOut, viewsOf } from "../peft/phi.ts";
import { startHead } from "./head-start.ts";

const setOf = (labels: readonly Label[]): ExampleSet => ({
  name: "rows",
  examples: labels.map((label) => ({ kind: "text", text: "t", label })),
  placeOf: (row) => `row ${row}`,
  columns: { text: "text" },
});
const head = (name: string, role: Parameter["role"], shape: readonly number[]): Parameter => ({
  name,
  role,
  shape,
  part: "head",
  layer: undefined,
  method: undefined,
  initial: zeros,
  stored: undefined,
});
const parameters = [
  head("pre_classifier.bias", "bias", [4]),
  head("classifier.weight", "weight", [1, 4]),
  head("classifier.bias", "bias", [1]),
];
const modelOf = (layout: readonly Parameter[], isNew = true) => {
  const phi = emptyPhi(layOut(layout));
  const newTensors = isNew ? layout.map(({ name }) => name) : [];
  return { phi, adapted: { layout: phi.layout, newTensors, goal: { task: "regression", labels: 1 } as const } };
};
const started = (layout: readonly Parameter[], set: ExampleSet, isNew?: boolean) => {
  const { phi, adapted } = modelOf(layout, isNew);
  const remarks = startHead(adapted, phi, "regression", set);
  return { remarks, views: viewsOf(phi.layout, phi.values) };
};

test("a new head's output bias alone begins at the mean of the labels that are numbers, and it is said", () => {
  const { views, remarks } = started(parameters, setOf([1, "2.5", 4, "none"]));
  expect(views).toEqual({
    "pre_classifier.bias": new Float32Array(4),
    "classifier.weight": new Float32Array(4),
    "classifier.bias": Float32Array.of(2.5),
  });
  expect(remarks).toEqual(["the head's classifier.bias starts at 2.5, the mean of the labels"]);
});

test("a head of the checkpoint, and one without data, stay as they are", () => {
  expect(started(parameters, setOf([300, 500]), false).remarks).toEqual([]);
  const { phi, adapted } = modelOf(parameters);
  expect(startHead(adapted, phi, "regression", undefined)).toEqual([]);
  expect(
    startHead({ ...adapted, goal: { task: "classification", labels: 1 } }, phi, "classification", setOf([3])),
  ).toEqual([]);
  expect(phi.values.every((value) => value === 0)).toBe(true);
});

test("labels that lie far apart, or far from 0 where there is no bias to hold their mean, are spoken of", () => {
  expect(started(parameters, setOf([100, 500])).remarks.join()).toContain("labels lie around 300, 200 apart from it");
  expect(started(parameters, setOf([300, 301])).remarks).toHaveLength(1);
  const bare = started(parameters.slice(0, 2), setOf([300, 301])).remarks;
  expect(bare.join()).toContain("whose answers begin near 0");
  expect(started(parameters.slice(0, 2), setOf([3, 4])).remarks).toEqual([]);
});
