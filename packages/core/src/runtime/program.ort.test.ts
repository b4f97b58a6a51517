import { describe, expect, test } from "vitest";
import { InternalError } from "../errors.ts";
import { add } from "../graph/ops/add.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { input } from "../graph/value.ts";
import { float32, int32 } from "../tensor/host-tensor.ts";
import { nativeEngine, numbers } from "./native.fake.ts";
import { compile } from "./program.ts";

const x = input("x", "float32", ["batch", "tokens", 2]);
const z = input("z", "float32", ["batch", 1, 2]);
const W = input("W", "float32", [2, 2]);
const y = matmul(add(x, z), W);
const ones = (...shape: number[]) => float32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1));
const identity = float32([2, 2], Float32Array.of(1, 0, 0, 1));

test("one program runs on every batch and token length", async () => {
  const program = await compile(nativeEngine(), { y });
  for (const [batch, tokens] of [
    [1, 1],
    [3, 5],
    [2, 9],
    [1, 1],
  ] as const) {
    const found = await program.run({ x: ones(batch, tokens, 2), z: ones(batch, 1, 2), W: identity });
    expect(found.y?.shape).toEqual([batch, tokens, 2]);
    expect(new Set(numbers(found.y!))).toEqual(new Set([2]));
  }
  await program.release();
});

test("outputs are written into the caller's arrays whatever the batch, and fed arrays stay as they were", async () => {
  const program = await compile(nativeEngine(), { sum: add(W, W), y });
  const target = new Float32Array(8).fill(7);
  const ofBatch = new Float32Array(12);
  const fed = { x: ones(2, 3, 2), z: ones(2, 1, 2), W: identity };
  const found = await program.run(fed, { sum: target.subarray(2, 6), y: ofBatch });
  expect(Array.from(target)).toEqual([7, 7, 2, 0, 0, 2, 7, 7]);
  expect(found.y).toEqual({ dtype: "float32", shape: [2, 3, 2], data: ofBatch });
  expect(new Set(ofBatch)).not.toContain(0);
  expect(fed).toEqual({ x: ones(2, 3, 2), z: ones(2, 1, 2), W: identity });
  await program.release();
});

describe("what does not fit is refused before it reaches the engine", () => {
  const fits = { x: ones(2, 3, 2), z: ones(2, 1, 2), W: identity };
  test.each([
    ["a missing input", { x: fits.x, z: fits.z }, 'input "W" was not fed; fed: x, z'],
    [
      "another number of axes",
      { ...fits, x: ones(2, 2) },
      'input "x" should be float32[batch,tokens,2], is float32[2,2] of 4',
    ],
    ["another fixed length", { ...fits, x: ones(2, 3, 4) }, 'input "x" should be'],
    [
      "two values of one symbol",
      { ...fits, z: ones(3, 1, 2) },
      'input "z" should be float32[batch,1,2], is float32[3,1,2] of 6',
    ],
    [
      "another type",
      { ...fits, W: int32([2, 2], new Int32Array(4)) },
      'input "W" should be float32[2,2], is int32[2,2] of 4',
    ],
    ["fewer elements than the shape says", { ...fits, W: float32([2, 2], new Float32Array(3)) }, "of 3"],
  ])("%s", async (_, fed, message) => {
    const program = await compile(nativeEngine(), { y });
    await expect(async () => program.run(fed)).rejects.toThrow(InternalError);
    await expect(async () => program.run(fed)).rejects.toThrow(message);
    await program.release();
  });

  test("tensors that the graph does not read are ignored", async () => {
    const program = await compile(nativeEngine(), { y });
    const found = await program.run({ ...fits, more: ones(1) });
    expect(found.y?.shape).toEqual([2, 3, 2]);
    await program.release();
  });
});
