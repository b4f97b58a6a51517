import { expect, test } from "vitest";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { concat } from "./ops/concat.ts";
import { matmul, rowsInFront } from "./ops/matmul.ts";
import { reshape } from "./ops/reshape.ts";
import { softmax } from "./ops/softmax.ts";
import { transpose } from "./ops/transpose.ts";
import { uncopied } from "./uncopied.ts";
import { input, type Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

const lengths: Readonly<Record<string, number>> = { batch: 3, past: 5, tokens: 2 };
const sizes = (shape: Shape) => shape.map((dim) => (typeof dim === "number" ? dim : (lengths[dim] ?? 1)));
const draw = random(3, "uncopied");
const drawn = (shape: Shape) =>
  float32(
    sizes(shape),
    Float32Array.from({ length: sizes(shape).reduce((a, b) => a * b, 1) }, () => draw.uniform() - 0.5),
  );

/** Attention to what was before, one's own and a prefix, with as many heads as keys have or groups of them. */
function attended(heads: number, groups: number, layers: number) {
  const shapes: Record<string, Shape> = { q: ["batch", heads, "tokens", 4], prefix: ["batch", groups, 1, 4] };
  const fed = (name: string, shape: Shape) => {
    shapes[name] = shape;
    return input(name, "float32", shape);
  };
  const prefix = fed("prefix", ["batch", groups, 1, 4]);
  let q: Value = fed("q", ["batch", heads, "tokens", 4]);
  for (let layer = 0; layer < layers; layer++) {
    const [key, value] = ["key", "value"].map((name) => {
      const past = transpose(fed(`past ${name} ${layer}`, ["past", "batch", groups, 4]), rowsInFront(4));
      return concat([prefix, concat([past, fed(`${name} ${layer}`, ["batch", groups, "tokens", 4])], 2)], 2);
    }) as [Value, Value];
    const [, , keys = 1] = key.shape;
    const grouped = ["batch", groups, heads / groups, "tokens", 4];
    const each = (x: Value) => (heads === groups ? x : reshape(x, ["batch", groups, 1, keys, 4]));
    const left = heads === groups ? q : reshape(q, grouped);
    const weights = softmax(matmul(left, each(key), { transB: true, alpha: 0.7 }));
    q = reshape(matmul(weights, each(value)), q.shape);
  }
  return { y: q, inputs: Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, drawn(shape)])) };
}

test.each([
  [2, 2],
  [4, 2],
])("%i heads over %i groups: the same numbers, and nothing that was fed is copied", async (heads, groups) => {
  const { y, inputs } = attended(heads, groups, 2);
  const [read = y] = uncopied([y]);
  const copies = nodesOf([read]).filter(({ operator: { type }, inputs: operands }) => {
    const fed = operands.filter(({ source }) => source.kind === "input" && source.name.startsWith("past"));
    return fed.length > 0 && type !== "FusedMatMul" && type !== "Reshape";
  });
  expect(copies).toEqual([]);
  const found = await runOnce({ y, read }, inputs);
  const expected = numbers(found.y!);
  for (const [i, number] of numbers(found.read!).entries()) expect(number).toBeCloseTo(expected[i]!, 5);
});

test("products of what lies together stay as they are", () => {
  const rows = ["a", "b"].map((name) => input(name, "float32", ["batch", 3, 4]));
  const y = matmul(input("x", "float32", ["batch", 2, 4]), concat(rows, 1), { transB: true });
  expect(uncopied([y])).toEqual([y]);
});
