import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, type Field, float, int, join, message, string } from "./protobuf.ts";

/** Reads a varint as the wire format defines it: seven bits a byte, the lowest first, the eighth says that more come. */
function readVarint(wire: Uint8Array, at: number): { readonly value: bigint; readonly next: number } {
  let [value, shift, next] = [0n, 0n, at];
  for (;;) {
    const byte = wire[next++];
    if (byte === undefined) throw new Error("a varint ends too early");
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) return { value, next };
  }
}

/** The fields of a message: number, wire type, content. */
function readFields(wire: Uint8Array): readonly (readonly [number, number, bigint | Uint8Array])[] {
  const fields: [number, number, bigint | Uint8Array][] = [];
  for (let at = 0; at < wire.length; ) {
    const tag = readVarint(wire, at);
    const [number, kind] = [Number(tag.value >> 3n), Number(tag.value & 7n)];
    const head = kind === 5 ? { value: 4n, next: tag.next } : readVarint(wire, tag.next);
    const end = kind === 0 ? head.next : head.next + Number(head.value);
    fields.push([number, kind, kind === 0 ? head.value : wire.slice(head.next, end)]);
    at = end;
  }
  return fields;
}

const fieldNumber = fc.integer({ min: 1, max: 2 ** 29 - 1 });
const payload = fc.uint8Array({ maxLength: 300 });

test("an integer is its 64 bits of two's complement, in as few bytes as they need", () => {
  fc.assert(
    fc.property(fieldNumber, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (field, value) => {
      const wire = join(int(field, value));
      expect(readFields(wire)).toEqual([[field, 0, BigInt.asUintN(64, value)]]);
      const bits = BigInt.asUintN(64, value).toString(2).length;
      const tagBytes = Math.ceil((field * 8).toString(2).length / 7);
      expect(wire.length).toBe(tagBytes + Math.ceil(bits / 7));
    }),
  );
});

test("a number and the same bigint are the same bytes", () => {
  fc.assert(
    fc.property(fieldNumber, fc.maxSafeInteger(), (field, value) => {
      expect(join(int(field, value))).toEqual(join(int(field, BigInt(value))));
    }),
  );
  expect(join(int(1, -1))).toEqual(Uint8Array.of(8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1));
});

test("bytes, strings, floats and messages are what was put in", () => {
  fc.assert(
    fc.property(fieldNumber, payload, fc.string({ unit: "grapheme" }), fc.float(), (field, raw, text, number) => {
      const wire = join(bytes(field, raw), string(field, text), float(field, number), message(field, bytes(1, raw)));
      const [rawField, textField, floatField, inner] = readFields(wire);
      expect(rawField).toEqual([field, 2, raw]);
      expect(textField).toEqual([field, 2, new TextEncoder().encode(text)]);
      expect(floatField).toEqual([field, 5, new Uint8Array(Float32Array.of(number).buffer)]);
      expect(inner).toEqual([field, 2, join(bytes(1, raw))]);
    }),
  );
});

test("messages nest to any depth", () => {
  fc.assert(
    fc.property(fc.array(fieldNumber, { minLength: 1, maxLength: 40 }), payload, (path, raw) => {
      const whole = path.reduce<Field>((inner, field) => message(field, inner), bytes(1, raw));
      let content: Uint8Array = join(whole);
      for (const field of [...path].reverse()) {
        const [only, ...others] = readFields(content);
        expect(others).toEqual([]);
        expect(only?.slice(0, 2)).toEqual([field, 2]);
        if (!(only?.[2] instanceof Uint8Array)) throw new Error("a message is made of bytes");
        content = only[2];
      }
      expect(readFields(content)).toEqual([[1, 2, raw]]);
    }),
    { numRuns: 30 },
  );
});
