import { expect, test } from "vitest";
import { fastfood } from "./fastfood.ts";

const [outer, inner] = [50, 6];
const unit = (length: number, at: number) => Float32Array.from({ length }, (_, i) => Number(i === at));

/** P's columns, by its products with the axes. */
const columnsOf = (seed: number) =>
  Array.from({ length: inner }, (_, at) => {
    const out = new Float32Array(outer);
    fastfood(outer, inner, seed).expand(unit(inner, at), out);
    return out;
  });

test("what contracts is the transposed of what expands", () => {
  const columns = columnsOf(3);
  const projection = fastfood(outer, inner, 3);
  for (let row = 0; row < outer; row++) {
    const out = new Float32Array(inner);
    projection.contract(unit(outer, row), out);
    for (const [at, column] of columns.entries()) expect(out[at]).toBeCloseTo(column[row] ?? 0, 6);
  }
});

test("rows have the length 1 in the mean, and another seed is another map", () => {
  const square = columnsOf(0).reduce((sum, column) => sum + column.reduce((all, value) => all + value * value, 0), 0);
  expect(square / outer).toBeGreaterThan(0.6);
  expect(square / outer).toBeLessThan(1.4);
  expect(columnsOf(0)).not.toEqual(columnsOf(1));
  expect(columnsOf(1)).toEqual(columnsOf(1));
});
