import { expect, test } from "vitest";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { withInt8Activations } from "./int8-activations.ts";
import { inBlocks } from "./operator-cases.fake.ts";
import { add } from "./ops/add.ts";
import { DequantizeLinear } from "./ops/dequantize-linear.ts";
import { MatMulNBits, matmulNBits } from "./ops/mat-mul-n-bits.ts";
import { matmul } from "./ops/matmul.ts";
import { transpose } from "./ops/transpose.ts";
import { input } from "./value.ts";
import { nodesOf } from "./walk.ts";

const [rows, inner, block] = [5, 64, 16];
const x = input("x", "float32", ["rows", inner]);
const w = { 4: inBlocks(4), 8: inBlocks(8) };
const drawn = new Float32Array(rows * inner);
random(3, "test").fillNormal(drawn, 0, 1);

const products = [
  { title: "4 bits", exact: matmulNBits(x, w[4]) ?? x, weights: w[4] },
  { title: "4 bits, read first", exact: matmul(x, w[4], { transB: true }), weights: w[4] },
  { title: "8 bits", exact: matmul(x, w[8], { transB: true }), weights: w[8] },
  { title: "8 bits, scaled", exact: matmul(x, w[8], { transB: true, alpha: 0.5 }), weights: w[8] },
];

test.each(products)("a product with $title stays within what rounding moves", async ({ exact, weights }) => {
  const [rounded] = withInt8Activations([exact]);
  if (!rounded) throw new Error("nothing came back");
  const { operator, attributes } = nodesOf([rounded]).find((node) => node.operator === MatMulNBits) ?? {};
  expect([operator, attributes?.accuracy_level]).toEqual([MatMulNBits, 4]);
  expect(nodesOf([rounded]).some((node) => node.operator === DequantizeLinear)).toBe(false);
  const fed = { x: float32([rows, inner], drawn) };
  const found = await runOnce({ exact, rounded, weights }, fed);
  const [y, near, dense] = [found.exact, found.rounded, found.weights].map((each) => (each ? numbers(each) : []));
  const columns = (y?.length ?? 0) / rows;
  for (const [at, value] of (near ?? []).entries()) {
    const [row, column] = [Math.floor(at / columns), at % columns];
    expect(Math.abs(value - (y?.[at] ?? Number.NaN))).toBeLessThanOrEqual(moved(row, column, dense ?? []));
  }
});

/** Half a step of 127, of the largest number of each block of x, times all weights that the block meets, and float32's rounding. */
function moved(row: number, column: number, dense: readonly number[]): number {
  let sum = 1e-5;
  for (let start = 0; start < inner; start += block) {
    const numbersOf = (values: ArrayLike<number>, at: number) =>
      Array.from({ length: block }, (_, i) => Math.abs(values[at * inner + start + i] ?? Number.NaN));
    const step = Math.max(...numbersOf(drawn, row)) / 127;
    sum += (step / 2) * numbersOf(dense, column).reduce((all, weight) => all + weight, 0);
  }
  return sum;
}

test("what is no product with a matrix in few bits stays the same node", () => {
  const others = [matmul(x, transpose(w[4], [1, 0])), add(x, x), matmul(x, x, { transB: true })];
  expect(withInt8Activations(others)).toEqual(others);
  for (const [i, value] of withInt8Activations(others).entries()) expect(value).toBe(others[i]);
});
