import type { OwnBytes } from "../tensor/own-memory.ts";

/**
 * The wire format of Protocol Buffers, as much of it as a ModelProto and logs of runs need: varints, floats of 32 and
 * 64 bits, bytes, messages.
 * A field is a list of byte chunks, so that nothing is copied until the whole message is joined.
 */
export type Field = readonly Uint8Array[];

const text = new TextEncoder();

/** Every number of seven bits: tags, most lengths and most values. */
const single: readonly Uint8Array[] = Array.from({ length: 128 }, (_, value) => Uint8Array.of(value));

/** Seven bits a byte, the lowest first; the eighth says that more come. Negative numbers are 64 bits of two's complement. */
function varint(value: number | bigint): Uint8Array {
  const short = typeof value === "number" ? single[value] : undefined;
  if (short) return short;
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 2n ** 28n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  let last = Number(rest); // nearly all are small from the start
  for (; last >= 128; last >>= 7) bytes.push((last & 127) | 128);
  bytes.push(last);
  return Uint8Array.from(bytes);
}

/** How a field's content is laid out. */
const Wire = { varint: 0, fixed64: 1, length: 2, fixed32: 5 } as const;
const tag = (field: number, wire: number) => varint(field * 8 + wire);

function lengthOf(chunks: Field): number {
  let sum = 0;
  for (const { length } of chunks) sum += length;
  return sum;
}

/** An int32, int64 or enum field. */
export const int = (field: number, value: number | bigint): Field => [tag(field, Wire.varint), varint(value)];

/** A float field. */
export function float(field: number, value: number): Field {
  return [tag(field, Wire.fixed32), new Uint8Array(Float32Array.of(value).buffer)];
}

/** A double field. */
export function double(field: number, value: number): Field {
  return [tag(field, Wire.fixed64), new Uint8Array(Float64Array.of(value).buffer)];
}

/** A bytes field. */
export const bytes = (field: number, value: Uint8Array): Field => [
  tag(field, Wire.length),
  varint(value.length),
  value,
];

/** A string field. */
export const string = (field: number, value: string): Field => bytes(field, text.encode(value));

/** In bytes: a message up to that is put together at once, since chunks of a few bytes cost more than their copies. */
const small = 1 << 12;

/** A field that holds a message. */
export function message(field: number, ...fields: readonly Field[]): Field {
  const chunks = fields.flat();
  const length = lengthOf(chunks);
  const whole = [tag(field, Wire.length), varint(length), ...chunks];
  return length > small ? whole : [joined(whole)];
}

/** The bytes of a message. */
export const join = (...fields: readonly Field[]): OwnBytes => joined(fields.flat());

function joined(chunks: Field): OwnBytes {
  const whole = new Uint8Array(lengthOf(chunks));
  let offset = 0;
  for (const chunk of chunks) {
    if (chunk.length > 16) whole.set(chunk, offset);
    else for (let i = 0; i < chunk.length; i++) whole[offset + i] = chunk[i] ?? 0; // a call takes longer than that
    offset += chunk.length;
  }
  return whole;
}
