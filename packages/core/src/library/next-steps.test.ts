import { expect, test } from "vitest";
import { nextSteps } from "./next-steps.ts";

const scores = (label: string, recall: number) => ({ label, precision: recall, recall, f1: recall, support: 10 });
const good = { examples: 1000, loss: 0.2, accuracy: 0.9 };

test("a training that went well is told nothing", () => {
  expect(nextSteps({ losses: { first: 0.7, last: 0.15 }, rows: 300, evaluation: good })).toEqual([]);
  expect(nextSteps({ losses: undefined, rows: 300, evaluation: undefined })).toEqual([]);
});

test("a loss that has not fallen asks for more steps, one that fell on these rows alone for more rows", () => {
  expect(nextSteps({ losses: { first: 0.7, last: 0.69 }, rows: 300, evaluation: good }).join()).toContain("`epochs`");
  const learnt = { losses: { first: 1.8, last: 0.03 }, rows: 300, evaluation: { ...good, loss: 1.1 } };
  expect(nextSteps(learnt).join()).toContain("the 300 rows are known by heart (loss 0.03 on them, 1.1 on others)");
});

test("labels that are never right, or taken for one another, and few held-out rows are named", () => {
  const told = nextSteps({
    losses: undefined,
    rows: 300,
    evaluation: {
      ...good,
      examples: 20,
      accuracy_interval: [0.3, 0.7],
      per_class: [scores("a", 1), scores("b", 0)],
      confusion: [
        [10, 0],
        [10, 0],
      ],
    },
  });
  expect(told).toHaveLength(3);
  expect(told[0]).toContain('never right on "b"');
  expect(told[1]).toContain('"b" is most often taken for "a" (10 of 10)');
  expect(told[2]).toContain("between 30 % and 70 %");
});
