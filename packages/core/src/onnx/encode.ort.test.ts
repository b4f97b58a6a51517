import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memorySource } from "../containers/folder.ts";
import { readSafetensors } from "../containers/safetensors.ts";
import { InternalError } from "../errors.ts";
import { cast } from "../graph/ops/cast.ts";
import { mul } from "../graph/ops/mul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { tanh } from "../graph/ops/tanh.ts";
import { constant, dims, input, scalar, type Value, weight } from "../graph/value.ts";
import { nativeEngine, numbers, runOnce } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import { bfloat16FromFloat32, float16FromFloat32 } from "../tensor/half.ts";
import { float32, type HostTensor } from "../tensor/host-tensor.ts";
import { type Dim, lengthUnder, plus, times } from "../tensor/shape.ts";
import { encodeGraph, type ForOthers } from "./encode.ts";

const ids = input("ids", "int32", ["batch", "tokens"]);
const idsOf = (batch: number, tokens: number): HostTensor => ({
  dtype: "int32",
  shape: [batch, tokens],
  data: new Int32Array(batch * tokens),
});

describe("lengths", () => {
  const monomial = fc.tuple(
    fc.integer({ min: -20, max: 20 }),
    fc.array(fc.constantFrom("batch", "tokens"), { maxLength: 3 }),
  );
  const length: fc.Arbitrary<Dim> = fc
    .array(monomial, { maxLength: 3 })
    .map((monomials) =>
      monomials.reduce<Dim>((sum, [factor, symbols]) => plus(sum, symbols.reduce<Dim>(times, factor)), 0),
    );

  test("the model computes every length as evaluate does", async () => {
    const shapes = fc.array(length, { minLength: 1, maxLength: 4 });
    const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })), {
      minLength: 2,
      maxLength: 3,
    });
    const property = fc.asyncProperty(shapes, sizes, async (entries, batches) => {
      const program = await compile(nativeEngine(), { y: dims(entries), used: ids });
      for (const [batch, tokens] of batches) {
        const symbols = new Map([
          ["batch", batch],
          ["tokens", tokens],
        ]);
        const { y } = await program.run({ ids: idsOf(batch, tokens) });
        expect(numbers(y!)).toEqual(entries.map((entry) => lengthUnder(entry, symbols)));
      }
      await program.release();
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test("equal lengths are computed once, however many operators take them", () => {
    const flat = () => reshape(cast(ids, "float32"), [times("batch", "tokens")]);
    const { model } = encodeGraph({ y: mul(tanh(flat()), tanh(tanh(flat()))) });
    expect(new TextDecoder("latin1").decode(model).match(/Concat/g)?.length).toBe(1);
  });

  test("an input's symbols stand only in a model that others read", () => {
    const y = tanh(input("x", "float32", ["rows", 4]));
    const told = (others?: ForOthers) => {
      const { model } = encodeGraph({ y }, undefined, {}, others);
      return new TextDecoder("latin1").decode(model).match(/rows/g)?.length;
    };
    expect(told()).toBe(1); // the output's
    expect(told({ defaults: {} })).toBe(2);
  });

  test("a length that no input has is refused", () => {
    expect(() => encodeGraph({ y: dims(["layers", 2]), used: ids })).toThrow(
      new InternalError('no input has an axis of length "layers"'),
    );
  });
});

describe("names", () => {
  const x = input("x", "float32", [2]);
  const fed = { x: float32([2], Float32Array.of(0.5, -1)) };

  test("an input, a constant and one value under two names can be outputs", async () => {
    const y = tanh(x);
    const outputs: Record<string, Value> = { same: x, fixed: scalar(7), "first/name": y, second: y };
    const found = await runOnce(outputs, fed);
    expect(Object.fromEntries(Object.entries(found).map(([name, tensor]) => [name, numbers(tensor)]))).toEqual({
      same: [0.5, -1],
      fixed: [7],
      "first/name": numbers(found.second!),
      second: numbers(found.second!),
    });
  });

  test("outputs stand in the model in their order, a second name right behind its value", () => {
    const y = tanh(x);
    const model = new TextDecoder("latin1").decode(encodeGraph({ first: y, second: y, third: tanh(y) }).model);
    const nodes = [...model.matchAll(/Identity|Tanh/g)].map(([type]) => type);
    expect(nodes).toEqual(["Tanh", "Identity", "Tanh"]);
  });

  test("inputs are fed under any name that a checkpoint may have", async () => {
    const names = ["bert.encoder.layer.0.weight", "node.0", "constant.0", "dims.1", "ö/∂ x"];
    const values = names.map((name) => input(name, "float32", [2]));
    const product = values.reduce((so, value) => mul(reshape(so, [2]), value), tanh(reshape(x, [1, 2])));
    const tensors = Object.fromEntries(names.map((name) => [name, float32([2], Float32Array.of(2, 1))]));
    const { y } = await runOnce({ y: product }, { ...fed, ...tensors });
    const [first = 0, second = 0, ...more] = numbers(y!);
    expect(first).toBeCloseTo(Math.tanh(0.5) * 32, 5); // float32 against float64
    expect(second).toBeCloseTo(Math.tanh(-1), 5);
    expect(more).toEqual([]);
  });

  test("an output under an input's name is refused", () => {
    expect(() => encodeGraph({ x: tanh(x) })).toThrow(new InternalError('"x" names an input and an output'));
  });
});

describe("constants", () => {
  test("tensors of every type that graphs hold arrive as they are, also views into larger buffers", async () => {
    const view = Float32Array.of(9, 1.5, -2, 9).subarray(1, 3);
    const tensors: Record<string, HostTensor> = {
      float32: float32([2], view),
      float64: { dtype: "float64", shape: [1, 2], data: Float64Array.of(1 / 3, -0) },
      int64: { dtype: "int64", shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
      int32: { dtype: "int32", shape: [], data: Int32Array.of(-(2 ** 31)) },
      bool: { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
    };
    const outputs = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, constant(tensor)]));
    const found = await runOnce(outputs, {});
    for (const [name, { data, shape }] of Object.entries(tensors)) {
      expect(found[name]?.data).toEqual(data);
      expect(found[name]?.shape).toEqual(shape);
    }
  });
});

describe("frozen tensors", () => {
  const values = Float32Array.of(0.1, -2.5, 3e4, 1e-6, 0.333333, -0);
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "petl-encode-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const raw = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  async function read(file: string, tensor: Parameters<typeof weight>[0]): Promise<readonly number[]> {
    const program = await compile(nativeEngine(folder), {
      y: mul(cast(weight({ ...tensor, file }), "float32"), scalar(1)),
    });
    const { y } = await program.run({});
    await program.release();
    return numbers(y!);
  }

  const stored = [
    { dtype: "float32", bytes: raw(values), wanted: Array.from(values) },
    { dtype: "float16", bytes: raw(float16FromFloat32(values)), wanted: undefined },
    { dtype: "bfloat16", bytes: raw(bfloat16FromFloat32(values)), wanted: undefined },
  ] as const;

  test.each(stored)(
    "a $dtype is read from its file at any offset, aligned or not",
    async ({ dtype, bytes, wanted }) => {
      const found: (readonly number[])[] = [];
      for (const offset of [0, 1, 2, 3, 5, 8, 13, 4096, 4099]) {
        const file = `${dtype}-${offset}.bin`;
        const whole = new Uint8Array(offset + bytes.length + 3).fill(255);
        whole.set(bytes, offset);
        await writeFile(join(folder, file), whole);
        found.push(await read(file, { name: "w", file, offset, byteLength: bytes.length, dtype, shape: [2, 3] }));
      }
      expect(found[0]).toHaveLength(values.length);
      for (const got of found) expect(got).toEqual(wanted ?? found[0]);
      found[0]!.forEach((number, i) => {
        expect(Math.abs(number - values[i]!)).toBeLessThanOrEqual(Math.abs(values[i]!) * 2 ** -8 + 2 ** -24); // half types round
      });
    },
  );

  test("a safetensors file whose header has an odd length serves as it is", async () => {
    const header = new TextEncoder().encode(
      JSON.stringify({
        "a.weight": { dtype: "F32", shape: [3], data_offsets: [0, 12] },
        b: { dtype: "BF16", shape: [2], data_offsets: [12, 16] },
        c: { dtype: "F32", shape: [3], data_offsets: [16, 28] },
      }),
    );
    const odd = header.length % 2 === 0 ? new Uint8Array([...header, 32]) : header;
    const start = new Uint8Array(8);
    new DataView(start.buffer).setBigUint64(0, BigInt(odd.length), true);
    const body = [raw(values.slice(0, 3)), raw(bfloat16FromFloat32(Float32Array.of(1.5, -4))), raw(values.slice(3, 6))];
    const file = new Uint8Array(Buffer.concat([start, odd, ...body]));
    await writeFile(join(folder, "model.safetensors"), file);
    const { tensors } = await readSafetensors(memorySource("model.safetensors", file));
    expect(tensors.get("c")!.offset % 4).not.toBe(0);
    expect(await read("model.safetensors", tensors.get("a.weight")!)).toEqual(Array.from(values.slice(0, 3)));
    expect(await read("model.safetensors", tensors.get("b")!)).toEqual([1.5, -4]);
    expect(await read("model.safetensors", tensors.get("c")!)).toEqual(Array.from(values.slice(3, 6)));
  });

  test("a tensor in another file keeps the name that the engine knows the file by", () => {
    const tensor = {
      name: "w",
      file: "model.safetensors",
      offset: 8,
      byteLength: 8,
      dtype: "float32",
      shape: [2],
    } as const;
    const { model, weights } = encodeGraph({ y: tanh(weight(tensor)) }, (file) => `real-${file}`);
    expect(new TextDecoder().decode(model)).toContain("real-model.safetensors");
    expect(weights).toEqual([tensor]);
  });
});
