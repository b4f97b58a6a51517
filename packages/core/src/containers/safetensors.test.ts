import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.ts";
import { memorySource } from "./folder.ts";
import { readSafetensors } from "./safetensors.ts";
import { readFloat32, readTensor } from "./stored-values.ts";

/** A file of a header as it stands and `size` bytes of tensors. */
function file(header: unknown, size = 0, headerLength?: number) {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength ?? json.length), true);
  bytes.set(json, 8);
  return memorySource("m", bytes);
}

const f32 = (shape: unknown, ...data_offsets: number[]) => ({ dtype: "F32", shape, data_offsets });

test("offsets count from the start of the file and tensors come in the order of their bytes", async () => {
  const header = { b: f32([2], 4, 12), a: f32([], 0, 4), e: f32([0, 7], 4, 4), __metadata__: { format: "pt" } };
  const start = 8 + JSON.stringify(header).length;
  const { tensors, metadata } = await readSafetensors(file(header, 12));
  expect(metadata).toEqual({ format: "pt" });
  expect([...tensors.values()]).toEqual([
    { name: "a", file: "m", offset: start, byteLength: 4, dtype: "float32", shape: [] },
    { name: "e", file: "m", offset: start + 4, byteLength: 0, dtype: "float32", shape: [0, 7] },
    { name: "b", file: "m", offset: start + 4, byteLength: 8, dtype: "float32", shape: [2] },
  ]);
});

test("names that objects treat specially are names like any other", async () => {
  const header =
    '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"constructor":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}';
  expect([...(await readSafetensors(file(header, 2))).tensors.keys()]).toEqual(["__proto__", "constructor"]);
});

describe("a bad file is refused with what is wrong", () => {
  const source = (...bytes: number[]) => memorySource("m", new Uint8Array(bytes));
  test.each([
    ["an empty file", source(), "m: 0 bytes are no safetensors file; the header's length alone takes 8"],
    ["a length past the end", file({}, 0, 3), /claims a header of 3 bytes; a file of 10 bytes can have 2/],
    [
      "git-LFS's pointer",
      source(...new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1234\n")),
      /is git-LFS's pointer to a file of 1234 bytes, not the file; get it with: git lfs pull$/,
    ],
    [
      "more tensors than any model has",
      file(
        Object.fromEntries(
          Array.from({ length: 100_002 }, (_, i) => [i, { dtype: "U8", shape: [0], data_offsets: [0, 0] }]),
        ),
      ),
      /holds 100002 tensors; 100000 are allowed/,
    ],
    ["a length of 2^64 - 1", source(...Array(9).fill(255)), /claims a header of 18446744073709551615 bytes/],
    ["no header", source(0, 0, 0, 0, 0, 0, 0, 0), 'm: header: must begin with "{"'],
    ["a header that begins with space", file(" {}"), 'm: header: must begin with "{"'],
    ["a list", file("[]"), 'm: header: must begin with "{"'],
    ["bytes that are no UTF-8", source(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), "m: header: is not UTF-8"],
    ["bad JSON", file("{]"), /m: header: line 1, column 2: found "\]"/],
    ["a key twice", file('{"a":1,"a":1}'), 'm: header: line 1, column 8: the key "a" appears twice'],
    ["a deep nest", file(`{"a":${"[".repeat(1e5)}`), /nested deeper than 3/],
    ["a tensor that is none", file({ a: 1 }), 'm: tensor "a": must be an object with dtype, shape and data_offsets'],
    [
      "an unknown field",
      file({ a: { ...f32([0], 0, 0), x: 1 } }),
      /unknown field "x"; allowed: dtype, shape, data_offsets/,
    ],
    [
      "an unknown dtype",
      file({ a: { ...f32([0], 0, 0), dtype: "F8_E4M3" } }),
      /dtype "F8_E4M3" is not supported; supported: I64, F64/,
    ],
    ["no dtype", file({ a: { shape: [0], data_offsets: [0, 0] } }), /dtype \(none\) is not supported/],
    ["a negative size", file({ a: f32([-1], 0, 0) }), /shape \[-1\] is no list/],
    ["a broken size", file({ a: f32([0.5], 0, 2) }, 2), /shape \[0.5\] is no list/],
    ["minus zero", file('{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}'), /is no list/],
    ["a size past 2^53", file('{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,0]}}'), /is no list/],
    [
      "a shape whose product overflows",
      file({ a: f32([2 ** 40, 2 ** 40], 0, 0) }),
      /more elements than can be counted/,
    ],
    [
      "a product that wraps to the right number",
      file({ a: f32([2 ** 32, 2 ** 32], 0, 0) }),
      /more elements than can be counted/,
    ],
    ["offsets the wrong way round", file({ a: f32([1], 4, 0) }, 4), /data_offsets \[4,0\] is no \[begin, end\]/],
    ["three offsets", file({ a: f32([1], 0, 4, 4) }, 4), /data_offsets \[0,4,4\] is no \[begin, end\]/],
    [
      "too few bytes for the shape",
      file({ a: f32([2], 0, 4) }, 4),
      'm: tensor "a": 4 bytes in data_offsets, but float32 of shape [2] takes 8',
    ],
    [
      "an overlap",
      file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8),
      /tensor "b": begins at byte 119, inside of the tensor before it, which ends at 123/,
    ],
    [
      "a hole",
      file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12),
      /bytes 120 to 124, before tensor "b", belong to no tensor/,
    ],
    ["bytes after the last tensor", file({ a: f32([1], 0, 4) }, 5), "m: the last 1 bytes belong to no tensor"],
    ["too few bytes in the file", file({ a: f32([1], 0, 4) }, 3), /ends at byte 65, but its header needs 66/],
    ["metadata that are no texts", file({ __metadata__: { a: 1 } }), 'm: __metadata__: "a" must be a text'],
    ["metadata that are no object", file({ __metadata__: [] }), "m: __metadata__ must be an object of texts"],
    [
      "half a surrogate pair",
      file('{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      /no well-formed text/,
    ],
  ])("%s", async (_, bad, problem) => {
    const error = await readSafetensors(bad).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({
      problems: [typeof problem === "string" ? problem : expect.stringMatching(problem)],
    });
  });
});

test("metadata that are null are none, as MLX writes them", async () => {
  const { tensors, metadata } = await readSafetensors(file({ __metadata__: null, a: f32([1], 0, 4) }, 4));
  expect(metadata).toEqual({});
  expect([...tensors.keys()]).toEqual(["a"]);
});

test("all problems come at once, and past twenty they are counted", async () => {
  const two = { a: { dtype: "X", shape: [1], data_offsets: [0] }, b: 3 };
  await expect(readSafetensors(file(two))).rejects.toMatchObject({ problems: { length: 3 } });
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`t${i}`, 0]));
  await expect(readSafetensors(file(many))).rejects.toMatchObject({
    problems: { length: 21, 20: "m: and 980 more problems" },
  });
});

const golden = (name: string) =>
  memorySource(name, readFileSync(new URL(`../../golden/safetensors/${name}.safetensors`, import.meta.url)));

test("what the reference implementation wrote is read as it was meant, every element type", async () => {
  const source = golden("every-type");
  const { tensors } = await readSafetensors(source);
  const read = async (name: string) => (await readTensor(source, tensors.get(name)!)).data;
  expect(await read("z.float32")).toEqual(new Float32Array([0, -0, 1.5, Infinity, -Infinity, 1e-45]));
  expect(await read("a.float64")).toEqual(new Float64Array([0.1, -2.5e300]));
  expect(await read("i64")).toEqual(new BigInt64Array([-(2n ** 63n), 2n ** 53n + 1n]));
  expect(await read("i32")).toEqual(new Int32Array([-(2 ** 31), 7]));
  expect(await read("i16")).toEqual(new Int16Array([-32768, 258]));
  expect(await read("i8")).toEqual(new Int8Array([-128, 127, 3]));
  expect(await read("u8")).toEqual(new Uint8Array([0, 255]));
  expect(await read("yes")).toEqual(new Uint8Array([1, 0, 1]));
  expect(await read("half")).toEqual(new Uint16Array([0x3c00, 0xfbff, 1]));
  expect(await readTensor(source, tensors.get("scalar")!)).toEqual({
    dtype: "float32",
    shape: [],
    data: new Float32Array([3.25]),
  });
  expect(await readTensor(source, tensors.get("empty")!)).toEqual({
    dtype: "float32",
    shape: [0, 4],
    data: new Float32Array(),
  });
});

test("readFloat32 converts every float type and refuses integers", async () => {
  const source = golden("every-type");
  const { tensors } = await readSafetensors(source);
  const read = (name: string) => readFloat32(source, tensors.get(name)!);
  expect(await read("half")).toEqual(new Float32Array([1, -65504, 2 ** -24]));
  // bfloat16's nearest to -3e38 and 1e-40: 226 * 2^120 and 1 * 2^-133
  expect(await read("brain")).toEqual(new Float32Array([1, -226 * 2 ** 120, 2 ** -133]));
  expect(await read("a.float64")).toEqual(new Float32Array([0.1, -Infinity]));
  await expect(read("i64")).rejects.toThrow(
    new InputError('every-type: tensor "i64" holds int64; a float type is needed'),
  );
});

test("a host may hand out bytes at any place of its buffer", async () => {
  const inner = golden("every-type");
  const odd = {
    ...inner,
    async read(offset: number, length: number) {
      const pool = Buffer.alloc(length + 1); // its slice, unlike an array's, is a view
      pool.set(await inner.read(offset, length), 1);
      return pool.subarray(1);
    },
  };
  const { tensors } = await readSafetensors(odd);
  expect(tensors).toEqual((await readSafetensors(inner)).tensors);
  for (const stored of tensors.values()) expect(await readTensor(odd, stored)).toEqual(await readTensor(inner, stored));
});

const shared = new URL("../../../../../shared/data/", import.meta.url);
// counted and summed by the reference implementation and NumPy: tensors, float elements, the sum of their magnitudes
const real: [string, number, number, number][] = [
  ["checkpoints/all-minilm-l6-v2/model", 104, 22_713_216, 1003914.241200558],
  ["checkpoints/tinystories-656k-llama/model", 20, 656_000, 255265.7866087556],
  ["adapters/distilbert-emotion-lora-r8/adapter_model", 28, 742_662, 13621.3844655517],
  ["adapters/bert-base-feedback-lora-r8/adapter_model", 50, 296_450, 2725.609072847907],
];
describe.skipIf(!existsSync(shared))("real files (skipped where the folder of shared data is absent)", () => {
  test.each(real)("%s is read as the reference implementation reads it", async (path, count, elements, magnitude) => {
    const source = memorySource(path, readFileSync(new URL(`${path}.safetensors`, shared)));
    const { tensors } = await readSafetensors(source);
    let [total, sum] = [0, 0];
    for (const stored of tensors.values()) {
      if (stored.dtype === "int64") continue;
      const values = await readFloat32(source, stored);
      total += values.length;
      sum = values.reduce((partial, x) => partial + Math.abs(x), sum);
    }
    expect([tensors.size, total]).toEqual([count, elements]);
    // sums of up to 2.3e7 doubles in another order: 1e-10 relative is far above their rounding, far below one weight
    expect(Math.abs(sum / magnitude - 1)).toBeLessThan(1e-10);
  });
});
