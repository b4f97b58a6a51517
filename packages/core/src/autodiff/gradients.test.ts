import { expect, test } from "vitest";
import { InternalError } from "../errors.ts";
import { add } from "../graph/ops/add.ts";
import { DequantizeLinear, fromBlocks } from "../graph/ops/dequantize-linear.ts";
import { erf } from "../graph/ops/erf.ts";
import { gather } from "../graph/ops/gather.ts";
import { gelu } from "../graph/ops/gelu.ts";
import { detach } from "../graph/ops/identity.ts";
import { LayerNormalization, layerNormalization } from "../graph/ops/layer-normalization.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { mod } from "../graph/ops/mod.ts";
import { mul } from "../graph/ops/mul.ts";
import { reduceSum } from "../graph/ops/reduce-sum.ts";
import { tanh } from "../graph/ops/tanh.ts";
import { constant, input, type Value, weight } from "../graph/value.ts";
import { leavesOf, nodesOf } from "../graph/walk.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { gradients } from "./gradients.ts";

const frozen = (name: string, shape: readonly number[]) =>
  weight({ name, file: "model.safetensors", offset: 0, byteLength: 0, dtype: "float32", shape });
const x = input("x", "float32", ["batch", "tokens", 4]);
const sum = (y: Value) => reduceSum(y, [0, 1, 2]);

/** The nodes that gradients need beyond those of the loss. */
function built(loss: Value, wrt: readonly Value[]): readonly string[] {
  const forward = new Set(nodesOf([loss]));
  return nodesOf(gradients(loss, wrt))
    .filter((node) => !forward.has(node))
    .map(({ operator }) => operator.type);
}
const products = (types: readonly string[]) => types.filter((type) => type === "FusedMatMul").length;

test("every gradient has the shape and type of what it is the gradient of", () => {
  const W = input("W", "float32", [4, 4]);
  const b = input("b", "float32", [4]);
  const unused = input("unused", "float32", ["tokens", 7]);
  const wrt = [W, b, x, unused];
  const found = gradients(sum(tanh(add(matmul(x, W), b))), wrt);
  expect(found.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    wrt.map(({ shape }) => ({ shape, dtype: "float32" })),
  );
});

test("a frozen weight costs no gradient of its own, only the way through it", () => {
  const low = input("low", "float32", [4, 4]);
  const frozenLayer = (value: Value, name: string) => matmul(value, frozen(name, [4, 4]));
  // x -> frozen 1 -> trained -> frozen 2: one product through frozen 2, one for the trained weight, none for frozen 1
  const loss = sum(tanh(frozenLayer(tanh(matmul(frozenLayer(x, "first"), low)), "second")));
  expect(products(built(loss, [low]))).toBe(2);
  expect(products(built(loss, [x]))).toBe(3);
  expect(products(built(loss, [x, low]))).toBe(4);
});

test("nothing below the lowest trained value is differentiated", () => {
  const scale = input("scale", "float32", [4]);
  const below = (depth: number) => Array.from({ length: depth }).reduce<Value>((y) => erf(tanh(y)), x);
  const shallow = built(sum(mul(below(1), scale)), [scale]);
  expect(built(sum(mul(below(9), scale)), [scale])).toEqual(shallow);
});

test("the gradient of a layer norm's scale alone does not pass through the norm", () => {
  const gamma = input("gamma", "float32", [4]);
  const loss = sum(layerNormalization(x, gamma, frozen("beta", [4]), 1e-5));
  expect(built(loss, [gamma])).not.toContain("ReduceMean");
  expect(built(loss, [x])).toContain("ReduceMean");
});

test("a gradient computes a GELU's output once more rather than keep it, unless the GELU itself is not differentiated", () => {
  const [up, down] = [input("up", "float32", [4, 4]), input("down", "float32", [4, 4])];
  const inner = gelu(matmul(x, up));
  const loss = sum(matmul(inner, down));
  const forward = new Set(nodesOf([loss]));
  const readInner = (wrt: readonly Value[]) =>
    nodesOf(gradients(loss, wrt)).some((node) => !forward.has(node) && node.inputs.includes(inner));
  expect(readInner([up, down])).toBe(false);
  expect(readInner([down])).toBe(true);
});

test("a frozen matrix is dequantised once more for a gradient rather than kept", () => {
  const bytes = (columns: number) =>
    constant({ dtype: "uint8", shape: [4, columns], data: new Uint8Array(4 * columns) });
  const W = fromBlocks(bytes(4), constant(float32([4, 2], new Float32Array(8))), bytes(2));
  const loss = sum(matmul(x, W, { transB: true }));
  const forward = new Set(nodesOf([loss]));
  const added = nodesOf(gradients(loss, [x])).filter((node) => !forward.has(node));
  expect(added.filter(({ operator }) => operator === DequantizeLinear).length).toBe(1);
  expect(added.some(({ inputs }) => inputs.includes(W))).toBe(false);
});

test("what the loss does not depend on has gradient zero, and so has what only reaches it detached", () => {
  const w = input("w", "float32", [4]);
  const zeros = gradients(sum(mul(x, detach(w))), [w, input("other", "float32", [2])]);
  expect(zeros).toHaveLength(2);
  for (const zero of zeros) {
    const leaves = leavesOf([zero]).flatMap(({ source }) =>
      source.kind === "constant" ? [Array.from(source.tensor.data, Number)] : [],
    );
    expect(leaves).toEqual([[0]]);
    expect(nodesOf([zero]).map(({ operator }) => operator.type)).toEqual(["Expand"]);
  }
});

test("a value in the middle of a chain and one at its start both get their gradients", () => {
  const h = tanh(x);
  const [dh, dx] = gradients(sum(mul(h, h)), [h, x]);
  expect(dh?.shape).toEqual(h.shape);
  expect(
    nodesOf([dx!])
      .map(({ operator }) => operator.type)
      .filter((type) => type === "Sub").length,
  ).toBe(1);
});

test("integers have no gradient and end no chain", () => {
  const ids = input("ids", "int32", ["batch", "tokens"]);
  const table = input("table", "float32", [9, 4]);
  expect(built(sum(gather(table, mod(ids, ids))), [table])).toContain("ScatterND");
});

test("what cannot be differentiated is refused, not skipped", () => {
  const i = input("i", "float32", ["batch", "tokens", 4]);
  expect(() => gradients(sum(mod(i, i)), [i])).toThrow(new InternalError("Mod has no gradient"));
  const [, mean] = LayerNormalization.all([x, input("g", "float32", [4]), input("b", "float32", [4])], {
    axis: -1,
    epsilon: 1e-5,
  });
  expect(() => gradients(sum(mean!), [x])).toThrow(InternalError);
});
