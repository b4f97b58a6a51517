import { expect, test } from "vitest";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import { float32, sizeOf } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { joinedProducts } from "./joined-products.ts";
import { add } from "./ops/add.ts";
import { FusedMatMul, matmul } from "./ops/matmul.ts";
import { mul } from "./ops/mul.ts";
import { input, scalar, type Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

const [batch, tokens, inner] = [3, 5, 16];
const x = input("x", "float32", ["batch", "tokens", inner]);
const matrix = (name: string, rows: number, columns = inner) => input(name, "float32", ["batch", rows, columns]);
const [a, b, c, d] = [matrix("a", 2), matrix("b", 4), matrix("c", 4), matrix("d", 3)];
const shared = input("shared", "float32", [4, inner]);
const times = (left: Value, right: Value, alpha = 1) => matmul(left, right, { transB: true, alpha });
const y = mul(x, scalar(2));

const drawn = ({ source, shape }: Value) => {
  const lengths = shape.map((dim) => (dim === "batch" ? batch : dim === "tokens" ? tokens : Number(dim)));
  const values = new Float32Array(sizeOf(lengths));
  if (source.kind !== "input") throw new Error("only inputs are fed");
  random(7, source.name).fillNormal(values, 0, 1);
  return [source.name, float32(lengths, values)] as const;
};
const fed = Object.fromEntries([x, a, b, c, d, shared].map(drawn));

/** The joined inputs' numbers: each row's matrices, one behind the other. */
const joinedFed = (joined: ReturnType<typeof joinedProducts>["joined"]) =>
  joined.map(({ name, of }) => {
    const parts = of.map((each) => fed[each] ?? expect.unreachable());
    const lengths = parts.map(({ shape: [, rows = 1] }) => rows * inner);
    const values = Array.from({ length: batch }, (_, row) =>
      parts.flatMap((part, i) => numbers(part).slice(row * (lengths[i] ?? 0), (row + 1) * (lengths[i] ?? 0))),
    ).flat();
    return [name, float32([batch, values.length / batch / inner, inner], Float32Array.from(values))] as const;
  });

test("products of one value with several inputs are one product, and each part what it was", async () => {
  const given = [add(times(x, b), times(x, c)), times(x, a), times(y, d)];
  const { values, joined } = joinedProducts(given);
  expect(joined.map(({ of }) => [...of].sort())).toEqual([["a", "b", "c"]]);
  expect(nodesOf(values).filter(({ operator }) => operator === FusedMatMul)).toHaveLength(2);
  const outputs = (of: readonly Value[]) => Object.fromEntries(of.map((value, i) => [`out ${i}`, value]));
  const expected = await runOnce(outputs(given), fed);
  const found = await runOnce(outputs(values), { ...fed, ...Object.fromEntries(joinedFed(joined)) });
  for (const [name, tensor] of Object.entries(expected)) {
    const own = numbers(found[name] ?? expect.unreachable());
    for (const [at, value] of numbers(tensor).entries())
      expect(Math.abs(value - (own[at] ?? Number.NaN))).toBeLessThan(1e-5); // sums of 16 products near 1 in another order
  }
});

test.each([
  ["read by something else too", [times(x, a), times(x, b), times(y, b)]],
  ["of other values", [times(x, a), times(y, b)]],
  ["with other factors", [times(x, a), times(x, b, 0.5)]],
  ["that all rows share", [times(x, a), times(x, shared)]],
])("matrices %s stay apart", (_, given) => {
  const { values, joined } = joinedProducts(given);
  expect(joined).toEqual([]);
  for (const [i, value] of given.entries()) expect(values[i]).toBe(value);
});
