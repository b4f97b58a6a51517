import { expect, test } from "vitest";
import type { TrainingEvent } from "../training/train.ts";
import { watchTraining } from "./run-remarks.ts";

const step = (loss: number, at: number): TrainingEvent => ({
  kind: "step",
  step: at + 1,
  epoch: 1,
  loss,
  lr: 1e-3,
  grad_norm: 1,
  tokens: 1,
});
const remarksOf = (losses: readonly number[], evaluation?: Extract<TrainingEvent, { kind: "end" }>["evaluation"]) => {
  const watch = watchTraining();
  for (const [at, loss] of losses.entries()) watch.see(step(loss, at));
  watch.see({ kind: "end", step: losses.length, reason: "done", evaluation });
  return watch.remarks().join("\n");
};
const measured = { examples: 10, loss: 1, majority: { label: "dull", accuracy: 0.6 } };

test("a training that went well is told nothing of", () => {
  expect(remarksOf([3, 2, 2, 1, 1, 1, 1], { ...measured, accuracy: 0.7 })).toBe("");
  expect(remarksOf([])).toBe("");
});

test("nothing learnt, a loss that grows and a result no better than the majority are said", () => {
  expect(remarksOf([0, 0, 0])).toContain("nothing to learn");
  expect(remarksOf([1, 1, 1, 1, 1, 2, 3, 4, 5, 6])).toContain("the loss grew from 1.00 to 4.00");
  expect(remarksOf([1], { ...measured, accuracy: 0.6 })).toContain('no better than the majority: always "dull"');
});
