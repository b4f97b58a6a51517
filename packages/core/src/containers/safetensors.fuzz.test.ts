import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../errors.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { type ByteSource, memorySource } from "./folder.ts";
import { readSafetensors, type Safetensors } from "./safetensors.ts";
import { safetensorsTypes } from "./safetensors-types.ts";

const valid = ["every-type", "no-metadata", "no-tensor"].map(
  (name) => new Uint8Array(readFileSync(new URL(`../../golden/safetensors/${name}.safetensors`, import.meta.url))),
);

/** Any file ends in one of two ways, never outside of its bytes. */
async function check(bytes: Uint8Array): Promise<"read" | "refused"> {
  const source = guarded(bytes);
  try {
    expectSound(await readSafetensors(source), bytes);
    return "read";
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message).toMatch(/^m: /);
    expect(error.message.length).toBeLessThan(20_000); // twenty-one problems with clipped quotations
    return "refused";
  }
}

/** A source that fails the test where more than the file is asked for, or any of its bytes twice. */
function guarded(bytes: Uint8Array): ByteSource {
  let given = 0;
  return {
    ...memorySource("m", bytes),
    async read(offset, length) {
      given += length;
      if (offset < 0 || length < 0 || offset + length > bytes.length || given > bytes.length) {
        throw new Error(`bytes ${offset} + ${length} were read of a file of ${bytes.length}`);
      }
      return bytes.slice(offset, offset + length);
    },
  };
}

/** What was accepted covers the file from its header's end to its own, each byte once. */
function expectSound({ tensors }: Safetensors, bytes: Uint8Array): void {
  let end = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  for (const { offset, byteLength, dtype, shape } of tensors.values()) {
    expect(offset).toBe(end);
    expect(byteLength).toBe(shape.reduce((product, n) => product * n, bytesOf[dtype]));
    end += byteLength;
  }
  expect(end).toBe(bytes.length);
}

const count = { read: 0, refused: 0 };
const law = (files: fc.Arbitrary<Uint8Array>, numRuns: number) =>
  fc.assert(
    fc.asyncProperty(files, async (bytes) => {
      count[await check(bytes)]++;
    }),
    { numRuns },
  );

const word = fc.oneof(fc.nat(300), fc.nat(0xffffffff), fc.constantFrom(0x7fffffff, 0xffffffff, 100_000_000));
const edit = fc.oneof(
  fc.record({ kind: fc.constant("flip"), at: fc.nat(), value: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constantFrom("cut", "double"), at: fc.nat(), value: fc.nat(20) }),
  fc.record({ kind: fc.constant("insert"), at: fc.nat(), value: fc.nat(255) }),
  fc.record({ kind: fc.constantFrom("low length", "high length"), at: fc.constant(0), value: word }),
);

function edited(bytes: Uint8Array, { kind, at, value }: { kind: string; at: number; value: number }): Uint8Array {
  const place = at % (bytes.length + 1);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (kind === "insert") return Uint8Array.of(...before, value, ...after);
  if (kind === "cut") return Uint8Array.of(...before, ...after.subarray(value));
  if (kind === "double") return Uint8Array.of(...before, ...after.subarray(0, value), ...after);
  const out = bytes.slice();
  if (kind === "flip") {
    if (place < out.length) out[place]! ^= value;
  } else if (out.length >= 8) new DataView(out.buffer).setUint32(kind === "low length" ? 0 : 4, value, true);
  return out;
}

test("8,000 damaged files: bytes flipped, inserted, cut, doubled, lengths belied", async () => {
  const damaged = fc
    .tuple(fc.constantFrom(...valid), fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([file, edits]) => edits.reduce(edited, file));
  await law(damaged, 8000);
});

test("every truncation of a valid file is refused", async () => {
  for (const file of valid) {
    for (let length = 0; length < file.length; length++) expect(await check(file.subarray(0, length))).toBe("refused");
    expect(await check(file)).toBe("read");
  }
});

const size = fc.oneof(
  { weight: 40, arbitrary: fc.nat(3) },
  fc.constantFrom(-1, 0.5, 2 ** 53, 2 ** 31, 1e300, "2", null),
);
const dtype = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom(...safetensorsTypes.map(([name]) => name)) },
  fc.constantFrom("F8_E4M3", "f32", 1, null, "__proto__"),
);
const tensor = fc.record({
  dtype,
  shape: fc.array(size, { maxLength: 3 }),
  shift: fc.constantFrom(...Array(20).fill(0), 1, -1),
});
const key = fc.oneof(
  { weight: 20, arbitrary: fc.string({ maxLength: 4 }) },
  fc.constantFrom("__metadata__", "__proto__"),
);

/** Headers that are right but for a few things, over as many bytes as they ask for. */
const plausible = fc
  .record({
    tensors: fc.array(fc.tuple(key, tensor), { maxLength: 5 }),
    junk: fc.option(fc.tuple(key, fc.jsonValue()), { freq: 8 }),
    surplus: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -1),
    padding: fc.nat(7),
  })
  .map(({ tensors, junk, surplus, padding }) => {
    let end = 0;
    const fields = tensors.map(([name, { dtype: ownType, shape, shift }]) => {
      const begin = end + shift;
      end += bytesNeeded(ownType, shape);
      return `${JSON.stringify(name)}:${JSON.stringify({ dtype: ownType, shape, data_offsets: [begin, end] })}`;
    });
    if (junk) fields.push(`${JSON.stringify(junk[0])}:${JSON.stringify(junk[1])}`);
    return fileOf(`{${fields.join(",")}}${" ".repeat(padding)}`, Math.max(0, end + surplus));
  });

function bytesNeeded(ownType: unknown, shape: readonly unknown[]): number {
  const known = safetensorsTypes.find(([name]) => name === ownType);
  const needed = shape.reduce<number>((product, n) => product * Number(n), known ? bytesOf[known[1]] : 1);
  return needed >= 0 && needed < 1000 ? Math.floor(needed) : 3;
}

function fileOf(header: string, room: number): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + room);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

test("10,000 plausible headers, among them many right ones", async () => {
  const before = count.read;
  await law(plausible, 10_000);
  expect(count.read - before).toBeGreaterThan(500); // else the cases are too wild to reach the last checks
  expect(count.refused).toBeGreaterThan(500);
});

test("4,000 headers of any JSON or text, and 1,000 files of any bytes", async () => {
  const anything = fc.oneof(
    fc.json(),
    fc.json().map((json) => `{"a":${json}}`),
    fc.string().map((text) => `{${text}`),
  );
  await law(
    fc.tuple(anything, fc.nat(16)).map(([header, bytes]) => fileOf(header, bytes)),
    4000,
  );
  await law(fc.uint8Array({ maxLength: 64 }), 1000);
});
