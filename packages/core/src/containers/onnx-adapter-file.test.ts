import fc from "fast-check";
import { expect, test } from "vitest";
import { goldenFolder, goldenJson } from "../checkpoints/golden.fake.ts";
import { InputError } from "../errors.ts";
import { float32, type HostTensor, sizeOf } from "../tensor/host-tensor.ts";
import { memorySource } from "./folder.ts";
import { onnxAdapterBytes, readOnnxAdapter } from "./onnx-adapter-file.ts";
import { readTensor } from "./stored-values.ts";

const halves = new Map([
  [0xbe00, -1.5],
  [0xb800, -0.5],
  [0x3800, 0.5],
  [0x3e00, 1.5],
]);
const numbersOf = ({ dtype, data }: HostTensor) =>
  Array.from<number | bigint, number>(
    data,
    (value) => (dtype === "float16" ? halves.get(Number(value)) : Number(value)) ?? 0,
  );

test("what ONNX Runtime's own library wrote is read, whatever the types and shapes", async () => {
  const source = await goldenFolder("onnx-adapters").open("ort.onnx_adapter");
  const found: Record<string, unknown> = {};
  for (const [name, stored] of await readOnnxAdapter(source)) {
    const tensor = await readTensor(source, stored);
    found[name] = { dtype: tensor.dtype, shape: tensor.shape, values: numbersOf(tensor) };
  }
  expect(found).toEqual(goldenJson("onnx-adapters/golden.json"));
});

const tensor = fc
  .tuple(fc.array(fc.nat(4), { maxLength: 3 }), fc.infiniteStream(fc.float({ noNaN: true })))
  .map(([shape, numbers]) => {
    return float32(shape, Float32Array.from([...numbers.take(sizeOf(shape))]));
  });
const parameters = fc.uniqueArray(fc.tuple(fc.string({ unit: "grapheme", maxLength: 20 }), tensor), {
  maxLength: 6,
  selector: ([name]) => name,
});

test("names, shapes and numbers are read as they were written, every number's place a multiple of 8", async () => {
  await fc.assert(
    fc.asyncProperty(parameters, async (written) => {
      const source = memorySource("m.onnx_adapter", onnxAdapterBytes(written));
      const read = await readOnnxAdapter(source);
      expect([...read.keys()]).toEqual(written.map(([name]) => name));
      for (const [name, given] of written) {
        const stored = read.get(name);
        expect((stored?.offset ?? 1) % 8).toBe(0);
        expect(stored && (await readTensor(source, stored))).toEqual(given);
      }
    }),
    { numRuns: 200 },
  );
});

const valid = onnxAdapterBytes([
  ["a", float32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))],
  ["b", float32([1], Float32Array.of(7))],
]);

test("parameters that share one long name are refused before the names are read", async () => {
  const long = onnxAdapterBytes([["n".repeat(9000), float32([1], Float32Array.of(1))]]);
  const entries = 200_000;
  const shared = new Uint8Array(long.length + 4 + 4 * entries);
  shared.set(long);
  const view = new DataView(shared.buffer);
  const table = 40 + 4 + 4; // header and vtable, the root, and the list of one parameter
  view.setUint32(36, long.length - 36, true);
  view.setUint32(long.length, entries, true);
  for (let i = 0; i < entries; i++) {
    const at = long.length + 4 + 4 * i;
    view.setUint32(at, (table - at) >>> 0, true);
  }
  await expect(readOnnxAdapter(memorySource("m", shared))).rejects.toThrow(/damaged|share their names/);
});

test("2,000 damaged files are read within their bytes or refused by one InputError", async () => {
  const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
  const count = { read: 0, refused: 0 };
  const damage = fc.tuple(fc.array(change, { maxLength: 4 }), fc.nat(valid.length));
  await fc.assert(
    fc.asyncProperty(damage, async ([changes, length]) => {
      const bytes = valid.slice(0, changes.length === 0 ? length : valid.length);
      for (const [at, value] of changes) bytes[at] = value;
      try {
        for (const { offset, byteLength } of (await readOnnxAdapter(memorySource("m", bytes))).values()) {
          expect(offset + byteLength).toBeLessThanOrEqual(bytes.length);
        }
        count.read++;
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        count.refused++;
        expect(error.message).toMatch(/^m: /);
      }
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(count.read, count.refused)).toBeGreaterThan(100); // else the damage is too wild or too mild to tell
});
