import { expect, test } from "vitest";
import { optimizers } from "./optimizers.ts";

const at = { step: 1, lr: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, gradientFactor: 0.5 };
const groups = [
  { start: 0, end: 1, rate: 1, weightDecay: 0.1 },
  { start: 1, end: 2, rate: 2, weightDecay: 0 },
];

test("gradient descent moves by lr times the clipped gradient at each group's rate, and decays where the group says so", () => {
  const values = Float32Array.of(2, 2);
  optimizers.sgd.update(values, Float32Array.of(1, 1), [], { ...at, groups });
  expect([...values]).toEqual([2 - 0.5 * 0.1 * 2 - 0.5 * 0.5, 2 - 0.5 * 2 * 0.5].map(Math.fround));
});

test("the first step of AdamW is lr against the gradient's sign behind the decay, whatever the gradient's size", () => {
  const values = Float32Array.of(2, 2);
  const moments = [new Float32Array(2), new Float32Array(2)];
  optimizers.adamw.update(values, Float32Array.of(3, -40), moments, { ...at, groups });
  expect(values[0]).toBeCloseTo(2 - 0.5 * 0.1 * 2 - 0.5, 6);
  expect(values[1]).toBeCloseTo(2 + 0.5 * 2, 6);
});
