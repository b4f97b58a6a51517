import { expect, test } from "vitest";
import { gradientError } from "../autodiff/central-differences.fake.ts";
import { mul } from "../graph/ops/mul.ts";
import { reduceSum } from "../graph/ops/reduce-sum.ts";
import { input } from "../graph/value.ts";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import { float32, type HostTensor } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { pool, poolings } from "./pooling.ts";

const size = 4;
const hidden = input("hidden", "float32", ["batch", "tokens", size]);
const mask = input("mask", "int32", ["batch", "tokens"]);

/** Right padding, left padding, a hole in the middle, no padding, a single token. */
const masks = [
  [1, 1, 1, 0, 0],
  [0, 0, 1, 1, 1],
  [1, 1, 0, 1, 0],
  [1, 1, 1, 1, 1],
  [0, 0, 0, 1, 0],
];
const maskTensor: HostTensor = { dtype: "int32", shape: [5, 5], data: Int32Array.from(masks.flat()) };
const vectors = new Float32Array(5 * 5 * size);
random(4, "pooling").fillNormal(vectors, 0, 1);
const fed = { hidden: float32([5, 5, size], vectors), mask: maskTensor };

const vector = (row: number, token: number) => Array.from(vectors.subarray((row * 5 + token) * size).slice(0, size));
const textOf = (row: number) => [0, 1, 2, 3, 4].filter((token) => masks[row]?.[token] === 1);

/** What each pooling is, computed by hand. */
const wanted: Readonly<Record<string, (row: number) => readonly number[]>> = {
  cls: (row) => vector(row, 0),
  last: (row) => vector(row, textOf(row).at(-1) ?? -1),
  mean(row) {
    const rows = textOf(row).map((token) => vector(row, token));
    return [0, 1, 2, 3].map((i) => rows.reduce((sum, values) => sum + values[i]!, 0) / rows.length);
  },
};

test.each(["cls", "mean", "last"] as const)(
  "%s takes the same vectors as by hand, wherever the padding lies",
  async (name) => {
    const { y } = await runOnce({ y: pool(name, hidden, mask) }, fed);
    expect(y!.shape).toEqual([5, 1, size]);
    numbers(y!).forEach((number, i) => {
      expect(number).toBeCloseTo(wanted[name]!(Math.floor(i / size))[i % size]!, 6); // float32 against float64
    });
  },
);

test("every pooling but the architecture's own is computed here", () => {
  expect(["default", ...Object.keys(wanted)].sort()).toEqual([...poolings].sort());
});

test("the gradient of every pooling agrees with central differences", async () => {
  for (const name of ["cls", "mean", "last"] as const) {
    const y = pool(name, hidden, mask);
    const loss = reduceSum(mul(y, y), [0, 1, 2]);
    // float32: 1e-7 of a loss of about 20, over ε
    expect(await gradientError(loss, [hidden], fed, 1e-2)).toBeLessThan(1e-3);
  }
});
