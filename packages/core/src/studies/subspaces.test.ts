import { expect, test } from "vitest";
import { subspaceSimilarity } from "./subspaces.ts";

const axes = (...ones: readonly number[]) =>
  ones.map((one) => Array.from({ length: 6 }, (_, at) => Number(at === one)));

test("the same directions in any order are shared wholly, foreign ones not at all, half of them by half", () => {
  expect(subspaceSimilarity(axes(0, 1), axes(1, 0))).toBe(1);
  expect(subspaceSimilarity(axes(0, 1), axes(2, 3))).toBe(0);
  expect(subspaceSimilarity(axes(0, 1), axes(1, 3))).toBe(0.5);
});

test("a turn within the same plane and a sign change nothing", () => {
  const half = Math.SQRT1_2;
  const turned = [
    [half, -half, 0, 0, 0, 0],
    [-half, -half, 0, 0, 0, 0],
  ];
  expect(subspaceSimilarity(axes(0, 1), turned)).toBeCloseTo(1, 12);
});
