import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../errors.ts";
import { float32 } from "../../tensor/host-tensor.ts";
import { type ByteSource, memorySource } from "../folder.ts";
import { readFloat32 } from "../stored-values.ts";
import { readTorchFile } from "./torch-file.ts";
import { torchFileBytes } from "./torch-writer.ts";
import { zipBytes } from "./zip-writer.ts";

const tensors = [
  ["encoder.layer.0.lora_A", float32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))],
  ["β", float32([], Float32Array.of(7))],
  ["empty", float32([0, 4], new Float32Array(0))],
] as const;
const valid = torchFileBytes(tensors);

const text = new TextEncoder();
const pickleFile = (pickle: Uint8Array, storage = new Uint8Array(24), root = "archive") =>
  zipBytes([
    [`${root}/data.pkl`, pickle],
    [`${root}/data/0`, storage],
  ]);
const bytes = (...parts: readonly (string | number)[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...text.encode(part)] : [part])));

/** A dict with one tensor of shape [2, 3] whose record is as asked. */
function record({ type = "FloatStorage", offset = 0, shape = [2, 3], steps = [3, 1], key = "0" } = {}): Uint8Array {
  const string = (value: string) => [0x58, text.encode(value).length, 0, 0, 0, value] as const;
  const counts = (values: readonly number[]) => [0x28, ...values.flatMap((value) => [0x4b, value]), 0x74] as const;
  return bytes(
    ...[0x80, 2, 0x7d, ...string("a"), "ctorch._utils\n_rebuild_tensor_v2\n", 0x28, 0x28, ...string("storage")],
    ...[`ctorch\n${type}\n`, ...string(key), ...string("cpu"), 0x4b, 6, 0x74, 0x51, 0x4b, offset],
    ...[...counts(shape), ...counts(steps), 0x89, "ccollections\nOrderedDict\n", 0x29, 0x52, 0x74, 0x52, 0x73, 0x2e],
  );
}

const read = (file: Uint8Array) => readTorchFile(memorySource("m.bin", file));

test("what was written is read: names, shapes and values", async () => {
  const source = memorySource("m.bin", valid);
  const found = await readTorchFile(source);
  expect([...found.keys()]).toEqual(tensors.map(([name]) => name));
  for (const [name, { shape, data }] of tensors) {
    const stored = found.get(name);
    expect(stored?.shape).toEqual(shape);
    expect(stored && (await readFloat32(source, stored))).toEqual(data);
  }
});

test("a record's type, offset and shape say where its values lie", async () => {
  const storage = new Uint8Array(Float64Array.of(1, 2, 3, 4, 5, 6, 7).buffer);
  const source = memorySource("m.bin", pickleFile(record({ type: "DoubleStorage", offset: 1 }), storage));
  const stored = (await readTorchFile(source)).get("a");
  expect(stored).toMatchObject({ dtype: "float64", shape: [2, 3] });
  expect(stored && (await readFloat32(source, stored))).toEqual(Float32Array.of(2, 3, 4, 5, 6, 7));
});

/** An archive whose central directory names one file many times over. */
function aliased(entries: number, size: number): Uint8Array {
  const one = zipBytes([["archive/data/0", new Uint8Array(size)]]);
  const end = one.length - 22;
  const start = new DataView(one.buffer, one.byteOffset).getUint32(end + 16, true);
  const header = one.slice(start, end);
  const headers = Array.from({ length: entries }, (_, i) => {
    const own = header.slice();
    own.set(text.encode(String(i).padStart(14, "0")), 46);
    return own;
  });
  const out = Uint8Array.from([...one.subarray(0, start), ...headers.flatMap((own) => [...own]), ...one.subarray(end)]);
  const view = new DataView(out.buffer);
  view.setUint16(out.length - 12, entries, true);
  view.setUint32(out.length - 10, entries * header.length, true);
  return out;
}

const string = (value: string) => bytes(0x58, value.length, 0, 0, 0, value);
const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
  [
    "a pickle that would run a command",
    pickleFile(bytes(0x80, 2, "cposix\nsystem\n", ...string("id"), 0x85, 0x52, 0x2e)),
    /names "posix\.system".*never runs/,
  ],
  ["a name of builtins", pickleFile(bytes(0x80, 2, "cbuiltins\neval\n", 0x2e)), /names "builtins\.eval"/],
  ["an instruction that makes objects", pickleFile(bytes(0x80, 2, 0x7d, 0x81, 0x2e)), /instruction 0x81 at byte 3/],
  [
    "a name from the stack",
    pickleFile(bytes(0x80, 4, ...string("os"), ...string("system"), 0x93, 0x2e)),
    /instruction 0x93/,
  ],
  ["a name of the copy registry", pickleFile(bytes(0x80, 2, 0x82, 1, 0x2e)), /instruction 0x82/],
  [
    "attributes of a call",
    pickleFile(bytes(0x80, 2, "ctorch._utils\n_rebuild_tensor_v2\n", 0x29, 0x52, 0x7d, 0x62, 0x2e)),
    /sets attributes of what is no dict/,
  ],
  ["a pickle that ends early", pickleFile(bytes(0x80, 2, 0x7d)), /ends in the middle/],
  ["a value from below a mark", pickleFile(bytes(0x80, 2, 0x7d, 0x28, 0x30, 0x2e)), /takes more values than there are/],
  ["a text longer than the file", pickleFile(bytes(0x80, 2, 0x58, 0xff, 0xff, 0xff, 0xff)), /ends in the middle/],
  ["a number of many bytes", pickleFile(bytes(0x80, 2, 0x8a, 0xff)), /integer of 255 bytes/],
  ["a list for the dict", pickleFile(bytes(0x80, 2, 0x5d, 0x2e)), /holds no dict of tensors/],
  ["a number for a tensor", pickleFile(bytes(0x7d, ...string("a"), 0x4b, 1, 0x73, 0x2e)), /"a" is 1, no tensor/],
  ["a tensor beyond its storage", pickleFile(record({ offset: 1 })), /"a" lies outside of its storage "0"/],
  ["a storage that is not there", pickleFile(record({ key: "../1" })), /lies outside of its storage "\.\.\/1"/],
  ["a tensor that is stored transposed", pickleFile(record({ steps: [1, 2] })), /stored transposed or in steps/],
  ["one value that stands for many", pickleFile(record({ shape: [255, 255], steps: [0, 0] })), /lies outside/],
  [
    "an unknown element type",
    pickleFile(record({ type: "ComplexFloatStorage" })),
    /names "torch\.ComplexFloatStorage"/,
  ],
  [
    "a million lists",
    pickleFile(new Uint8Array(1_000_000).fill(0x5d)),
    /holds more lists and tuples than tensor records need/,
  ],
  ["ten thousand names of one file", aliased(10_000, 300_000), /its files lie inside of one another/],
  ["more files than there is room for", aliased(10, 100).subarray(-500), /damaged zip archive/],
  ["an archive of something else", zipBytes([["a.txt", bytes("a")]]), /holds no data\.pkl/],
  ["a file of torch before 1.6", bytes(0x80, 2, 0x8a, 0x0a), /is no zip archive; torch writes one since version 1\.6/],
];
for (const [title, file, message] of refused) {
  test(`${title}: refused with what was found`, async () => {
    await expect(read(file)).rejects.toThrow(message);
    await expect(read(file)).rejects.toBeInstanceOf(InputError);
  });
}

/** Fails the test where more is read than the file has, many times over. */
function guarded(file: Uint8Array): ByteSource {
  let given = 0;
  const source = memorySource("m.bin", file);
  return {
    ...source,
    read(offset, length) {
      given += length;
      if (given > 20 * file.length + 70_000) throw new Error(`${given} bytes were read of a file of ${file.length}`);
      return source.read(offset, length);
    },
  };
}

test("3,000 damaged files: each is read, within its bytes, or refused by one InputError", async () => {
  const whole = pickleFile(record());
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean());
  const files = fc.tuple(fc.constantFrom(valid, whole), fc.array(change, { minLength: 1, maxLength: 5 }));
  const count = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(files, async ([file, changes]) => {
      let damaged = file.slice();
      for (const [at, value, cuts] of changes) {
        if (cuts && value < 64) damaged = damaged.slice(0, damaged.length - value);
        else if (damaged.length > 0) damaged[at % damaged.length] = value;
      }
      try {
        for (const { offset, byteLength } of (await readTorchFile(guarded(damaged))).values()) {
          expect(offset + byteLength).toBeLessThanOrEqual(damaged.length);
        }
        count.read++;
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        count.refused++;
      }
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(count.read, count.refused)).toBeGreaterThan(100); // else the damage is too wild or too mild to tell
});

test("2,000 pickles of any instructions are refused or read in time and memory of their own length", async () => {
  const codes = [0x28, 0x4b, 0x58, 0x71, 0x68, 0x7d, 0x5d, 0x29, 0x86, 0x74, 0x75, 0x61, 0x52, 0x62, 0x51, 0x2e, 0x30];
  const pickle = fc.array(fc.oneof(fc.constantFrom(...codes), fc.nat(255)), { maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(pickle, async (code) => {
      await readTorchFile(guarded(pickleFile(Uint8Array.from(code)))).catch((error: unknown) => {
        if (!(error instanceof InputError)) throw error;
      });
    }),
    { numRuns: 2000 },
  );
});
