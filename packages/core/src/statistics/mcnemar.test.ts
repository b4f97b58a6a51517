import { expect, test } from "vitest";
import { mcnemar } from "./mcnemar.ts";

test("of 10 discordant rows 1 on one side: p = 2 (1 + 10) / 2¹⁰", () => {
  expect(mcnemar(1, 9)).toBeCloseTo(22 / 1024, 12);
  expect(mcnemar(9, 1)).toBeCloseTo(22 / 1024, 12);
});

test("no discordant rows, or as many on either side, are no difference", () => {
  expect(mcnemar(0, 0)).toBe(1);
  expect(mcnemar(7, 7)).toBe(1);
});

test("thousands of discordant rows stay within the numbers: 1,040 of 2,000 is the normal distribution's 0.078", () => {
  expect(mcnemar(1040, 960)).toBeCloseTo(0.0774, 3); // z = (80 - 1) / √2000 = 1.7665
  expect(mcnemar(5000, 0)).toBe(0);
});
