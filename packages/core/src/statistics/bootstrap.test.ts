import { expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import { bootstrap, holm } from "./bootstrap.ts";

const noise = (seed: number, rows: number) => {
  const { normal } = random(seed, "noise");
  return Array.from({ length: rows }, normal);
};

test("rows alone: the interval of a mean is that of the normal distribution, ± 1.96 / √n", () => {
  const rows = noise(1, 400);
  const { low, high } = bootstrap((chosen) => chosen.reduce((sum, row) => sum + (rows[row] ?? 0), 0) / chosen.length, {
    rows: 400,
    seeds: 1,
  });
  expect(high - low).toBeGreaterThan(0.17); // 0.196 with σ = 1, and what 400 draws and 2,000 resamples leave open
  expect(high - low).toBeLessThan(0.22);
});

test("seeds of different quality make the interval wider", () => {
  const score = (spread: number) => (chosen: readonly number[], seed: number) =>
    spread * seed + chosen.reduce((sum, row) => sum + (row % 2), 0) / chosen.length;
  const width = ({ low, high }: { readonly low: number; readonly high: number }) => high - low;
  const sizes = { rows: 100, seeds: 3 };
  expect(width(bootstrap(score(0.3), sizes))).toBeGreaterThan(width(bootstrap(score(0), sizes)));
});

test("a difference in every row is told from chance, none is not", () => {
  const [a, b] = [noise(1, 100), noise(2, 100)];
  const meanOf = (values: readonly number[], chosen: readonly number[]) =>
    chosen.reduce((sum, row) => sum + (values[row] ?? 0), 0) / chosen.length;
  const sizes = { rows: 100, seeds: 2 };
  const apart = bootstrap((chosen, seed) => meanOf(seed === 0 ? a : b, chosen) + 1, sizes);
  expect(apart.p).toBeLessThan(0.01);
  expect(apart.low).toBeGreaterThan(0);
  expect(bootstrap(() => 0, sizes).p).toBe(1);
});

test("Holm: the smallest of m values is multiplied by m, the next by m - 1, and none falls below one before it", () => {
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
  expect(holm([0.5, 0.9])).toEqual([1, 1]);
});
