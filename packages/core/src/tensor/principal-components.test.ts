import { expect, test } from "vitest";
import { principalComponents } from "./principal-components.ts";
import { random } from "./random.ts";

/** Rows that differ along 3 of 6 axes in a turned frame, far from the origin. */
const draw = random(1, "rows");
const frame = Array.from({ length: 3 }, () => Array.from({ length: 6 }, () => draw.normal()));
const rows = Array.from({ length: 50 }, () => {
  const weights = frame.map(() => draw.normal());
  return Float32Array.from({ length: 6 }, (_, i) => 10 + weights.reduce((sum, w, at) => sum + w * frame[at]![i]!, 0));
});

const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, i) => value - b[i]!));
const meanSquare = (vectors: readonly Float32Array[]) =>
  vectors.reduce((sum, row) => sum + Math.hypot(...row) ** 2, 0) / vectors.length;

test("as many components as the rows have dimensions keep all distances but for one scale", () => {
  const found = principalComponents(rows, 3);
  const scale = distance(found[0]!, found[1]!) / distance(rows[0]!, rows[1]!);
  for (let i = 2; i < rows.length; i++) {
    const [kept, was] = [distance(found[0]!, found[i]!), distance(rows[0]!, rows[i]!)];
    expect(Math.abs(kept - scale * was)).toBeLessThan(1e-5); // float32 of numbers about 10
  }
});

test("their mean is 0, their mean square length 1, and each component varies less than the one before", () => {
  const found = principalComponents(rows, 4);
  expect(meanSquare(found)).toBeCloseTo(1, 6);
  const variances = [0, 1, 2, 3].map((axis) => found.reduce((sum, row) => sum + row[axis]! ** 2, 0) / found.length);
  expect(variances).toEqual([...variances].sort((a, b) => b - a));
  expect(variances[3]).toBeLessThan(1e-9); // a fourth direction isn't there
  for (const axis of [0, 1, 2]) expect(found.reduce((sum, row) => sum + row[axis]!, 0)).toBeCloseTo(0, 4);
});

test("places beyond the rows' axes are 0", () => {
  const found = principalComponents(rows, 9).map((row) => [...row.slice(6)]);
  expect(found).toEqual(rows.map(() => [0, 0, 0]));
});
