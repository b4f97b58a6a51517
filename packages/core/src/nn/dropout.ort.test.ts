import { expect, test } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { reduceSum } from "../graph/ops/reduce-sum.ts";
import { input } from "../graph/value.ts";
import { nativeEngine, numbers, runOnce } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import { float32, type HostTensor, sizeOf } from "../tensor/host-tensor.ts";
import { dropout } from "./dropout.ts";

const key = input("key", "int64", []);
const keyOf = (value: bigint): HostTensor => ({ dtype: "int64", shape: [], data: BigInt64Array.of(value) });
const ones = (lengths: readonly number[]) => float32(lengths, new Float32Array(sizeOf(lengths)).fill(1));
const x = input("x", "float32", ["batch", "tokens", 64]);

// every number below is a function of key, site and element: each statistical test is one fixed computation
const shape = [8, 128, 64];
const count = sizeOf(shape);

/** Which elements are kept, as ±1 around the mean, under some keys at some sites. */
async function kept(probability: number, keysTried: readonly bigint[], sitesTried: readonly number[]) {
  const outputs = Object.fromEntries(sitesTried.map((site) => [`site ${site}`, dropout(x, probability, key, site)]));
  const program = await compile(nativeEngine(), outputs);
  const masks: boolean[][][] = [];
  for (const value of keysTried) {
    const found = await program.run({ x: ones(shape), key: keyOf(value) });
    masks.push(sitesTried.map((site) => numbers(found[`site ${site}`]!).map((number) => number !== 0)));
  }
  await program.release();
  return masks;
}

/** Pearson's correlation of a with b, `lag` elements later. */
function correlation(a: readonly boolean[], b: readonly boolean[], lag = 0): number {
  const n = a.length - lag;
  let [sumA, sumB, both] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    if (a[i]) sumA++;
    if (b[i + lag]) sumB++;
    if (a[i] && b[i + lag]) both++;
  }
  const [p, q] = [sumA / n, sumB / n];
  return (both / n - p * q) / Math.sqrt(p * (1 - p) * q * (1 - q));
}
const independent = 4.5 / Math.sqrt(count); // four and a half standard deviations of an independent pair's correlation

const keys = [0n, 1n, 2n, 4_000_000_003n, -1n];
const sites = [1, 2, 50];

test.each([0.05, 0.1, 0.5, 0.9])("of many elements the share of %d is dropped, at every site and step", async (p) => {
  const deviation = Math.sqrt((p * (1 - p)) / count);
  for (const mask of (await kept(p, keys, sites)).flat()) {
    const rate = mask.filter((keep) => !keep).length / count;
    expect(Math.abs(rate - p)).toBeLessThan(4.5 * deviation);
  }
});

test("neighbours are dropped independently, along rows and columns", async () => {
  for (const mask of (await kept(0.5, keys, sites)).flat()) {
    for (const lag of [1, 2, 3, 4, 8, 16, 32, 63, 64, 65, 128, 4096, 7919, 8192]) {
      expect(Math.abs(correlation(mask, mask, lag))).toBeLessThan(independent);
    }
  }
});

test("sites and steps drop independently of one another, also where their elements are shifted", async () => {
  const masks = await kept(0.5, keys, sites);
  const all = masks.flat();
  for (const [i, a] of all.entries()) {
    for (const b of all.slice(i + 1)) {
      for (const lag of [0, 1, 64, 7919]) {
        expect(Math.abs(correlation(a, b, lag))).toBeLessThan(independent);
        expect(Math.abs(correlation(b, a, lag))).toBeLessThan(independent);
      }
    }
  }
});

test("what is kept is scaled by 1 / (1 − probability), so that the expectation stays", async () => {
  const p = 0.3;
  const fed = { x: ones(shape), key: keyOf(5n) };
  const found = numbers((await runOnce({ y: dropout(x, p, key, 1) }, fed)).y!);
  const scaled = Math.fround(1 / (1 - p));
  expect(new Set(found)).toEqual(new Set([0, scaled]));
  const mean = found.reduce((sum, number) => sum + number, 0) / count;
  expect(Math.abs(mean - 1)).toBeLessThan(4.5 * Math.sqrt(p / (1 - p) / count)); // deviations of a mean of count numbers
});

test("the same key, site and shape drop the same elements in any graph", async () => {
  const fed = { x: ones(shape), key: keyOf(5n) };
  const fixed = input("x", "float32", shape);
  const [a, b] = [dropout(x, 0.3, key, 4), dropout(fixed, 0.3, key, 4)];
  const first = await runOnce({ a, other: dropout(x, 0.3, key, 5) }, fed);
  expect((await runOnce({ b }, fed)).b).toEqual(first.a);
  expect(first.other!.data).not.toEqual(first.a!.data);
});

test("these elements are dropped for good: saved runs resume on any later version and host", async () => {
  const small = input("x", "float32", [24]);
  const { y } = await runOnce({ y: dropout(small, 0.5, key, 3) }, { x: ones([24]), key: keyOf(42n) });
  expect(
    numbers(y!)
      .map((number) => (number === 0 ? "." : "x"))
      .join(""),
  ).toBe(".x.xxxx.xxxx.xx.xxxx.xxx");
});

test("the gradient is zero where an element is dropped, and scaled like it elsewhere", async () => {
  const y = dropout(x, 0.25, key, 9);
  const [dx] = gradients(reduceSum(y, [0, 1, 2]), [x]);
  const found = await runOnce({ y, dx: dx! }, { x: ones(shape), key: keyOf(77n) });
  expect(found.dx).toEqual(found.y); // of ones, both are the mask times its scale
});

test("no probability, no nodes", () => {
  expect(dropout(x, 0, key, 1)).toBe(x);
});
