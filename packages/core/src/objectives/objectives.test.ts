import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { architectures } from "../models/models.ts";
import { objectiveOf, objectiveOfHead, objectives } from "./objectives.ts";

const folder = readdirSync(new URL(".", import.meta.url), { withFileTypes: true });

test("every file of the folder is an objective of the list, and the other way round", () => {
  const others = ["objective.ts", "objectives.ts"];
  const files = folder.filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"));
  const names = files.map(({ name }) => name).filter((name) => !others.includes(name));
  expect(names.sort()).toEqual(objectives.map(({ name }) => `${name}.ts`).sort());
});

test("every objective has a head that some architecture has, and a problem_type or none of its own", () => {
  for (const { name, head, problemType } of objectives) {
    expect(architectures.some(({ classes }) => classes[head] !== undefined)).toBe(true);
    expect(objectiveOfHead(head, 3, problemType)).toBe(
      problemType === undefined ? objectiveOfHead(head, 3, null) : name,
    );
  }
});

test("where config.json has no problem_type, a head of one label is a regression's and others have one class a row", () => {
  expect(objectiveOfHead("classification", 1, undefined)).toBe("regression");
  expect(objectiveOfHead("classification", 2, null)).toBe("classification");
  expect(objectiveOfHead("classification", 1, "single_label_classification")).toBe("classification");
  expect(objectiveOfHead("classification", 5, "regression")).toBe("regression");
});

test("every objective names its usual metric first, and no metric twice", () => {
  for (const { name, metrics } of objectives) {
    expect(metrics.length).toBeGreaterThan(0);
    expect(new Set(metrics.map((metric) => metric.name)).size).toBe(metrics.length);
    expect(objectiveOf(name).metrics).toBe(metrics);
  }
});

test("of any number of labels those are answered whose probability is above a half", () => {
  const answer = objectiveOf("multi-label").answer?.(Float32Array.of(-0.01, 0, 0.01, 8), ["a", "b", "c", "d"]);
  expect(answer).toMatchObject({ labels: ["c", "d"] });
});

test("a regression's answer is its number, without a label", () => {
  expect(objectiveOf("regression").answer?.(Float32Array.of(3.5), [])).toEqual({ score: 3.5 });
});
