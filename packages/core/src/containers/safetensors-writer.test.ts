import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError, InternalError } from "../errors.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { memorySource } from "./folder.ts";
import { readSafetensors } from "./safetensors.ts";
import { safetensorsTypes } from "./safetensors-types.ts";
import { encodeSafetensors, type SafetensorsEntry, safetensorsBytes } from "./safetensors-writer.ts";
import { readTensor } from "./stored-values.ts";

const golden = (file: string) =>
  new Uint8Array(readFileSync(new URL(`../../golden/safetensors/${file}.safetensors`, import.meta.url)));

test.each([
  ["every-type", undefined],
  ["no-tensor", {}],
  ["no-metadata", {}],
])("%s read and written again is byte for byte the reference implementation's file", async (file, metadata) => {
  const bytes = golden(file);
  const source = memorySource(file, bytes);
  const { tensors } = await readSafetensors(source);
  const shuffled = [...tensors.values()].reverse();
  const host = await Promise.all(shuffled.map(async (t) => [t.name, await readTensor(source, t)] as const));
  expect(safetensorsBytes(host, metadata)).toEqual(bytes);
  const entries = shuffled.map((t) => ({ ...t, bytes: () => source.read(t.offset, t.byteLength) }));
  expect(await joined(encodeSafetensors(entries, metadata))).toEqual(bytes);
});

const name = fc.oneof(fc.string({ maxLength: 6 }), fc.string({ unit: "binary", maxLength: 4 }), fc.nat(20).map(String));
const entry: fc.Arbitrary<SafetensorsEntry> = fc
  .record({
    name,
    dtype: fc.constantFrom(...safetensorsTypes.map(([, dtype]) => dtype)),
    shape: fc.array(fc.nat(3), { maxLength: 3 }),
    fill: fc.nat(255),
  })
  .map(({ fill, ...described }) => ({
    ...described,
    bytes: () => new Uint8Array(described.shape.reduce((a, b) => a * b, bytesOf[described.dtype])).fill(fill),
  }));
const entries = fc.uniqueArray(entry, { selector: (e) => e.name, maxLength: 8 });

test("whatever is written is read back: names, types, shapes, bytes, metadata; data begin at a multiple of 8", async () => {
  const texts = fc.dictionary(name, fc.string({ unit: "binary" }), { maxKeys: 3 });
  await fc.assert(
    fc.asyncProperty(entries, texts, async (written, metadata) => {
      const source = memorySource("m", await joined(encodeSafetensors(written, metadata)));
      const read = await readSafetensors(source);
      expect({ ...read.metadata }).toEqual({ ...metadata });
      expect([...read.tensors.keys()].sort()).toEqual(written.map((e) => e.name).sort());
      for (const e of written) {
        const stored = read.tensors.get(e.name)!;
        expect([stored.dtype, stored.shape]).toEqual([e.dtype, e.shape]);
        expect(await source.read(stored.offset, stored.byteLength)).toEqual(await e.bytes());
        expect(stored.offset % bytesOf[e.dtype]).toBe(0);
      }
    }),
    { numRuns: 500 },
  );
});

test("the order in which tensors are given changes no byte", async () => {
  await fc.assert(
    fc.asyncProperty(entries, async (given) => {
      const [once, again] = [encodeSafetensors(given), encodeSafetensors([...given].reverse())];
      expect(await joined(once)).toEqual(await joined(again));
    }),
  );
});

test("a tensor's bytes are asked for when those before it have been taken", async () => {
  const asked: string[] = [];
  const lazy = (of: string): SafetensorsEntry => ({
    name: of,
    dtype: "uint8",
    shape: [1],
    bytes: async () => {
      asked.push(of);
      return new Uint8Array(1);
    },
  });
  const chunks = encodeSafetensors([lazy("b"), lazy("a")]);
  await chunks.next();
  expect(asked).toEqual([]);
  await chunks.next();
  expect(asked).toEqual(["a"]);
});

test("impossible names and bytes that belie their shape are refused", async () => {
  const one = float32([1], new Float32Array(1));
  const twice = () =>
    safetensorsBytes([
      ["a", one],
      ["a", one],
      ["__metadata__", one],
      ["\ud800", one],
    ]);
  expect(twice).toThrow(
    new InputError([
      'two tensors are named "a"',
      'no tensor can be named "__metadata__"',
      '"\\ud800" is no well-formed text, so no tensor can have that name',
    ]),
  );
  expect(() => safetensorsBytes([["a", float32([2], new Float32Array(1))]])).toThrow(InternalError);
  const short = { name: "a", dtype: "float32" as const, shape: [2], bytes: () => new Uint8Array(4) };
  await expect(joined(encodeSafetensors([short]))).rejects.toThrow(InternalError);
});

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: number[] = [];
  for await (const chunk of chunks) all.push(...chunk);
  return new Uint8Array(all);
}
