/**
 * Walks over one structure in Thrift's compact protocol, which the heads of Parquet are written in, and makes nothing of
 * it: a reader that trusts the lengths in it may run back over bytes that it has read, or make lists that the file cannot
 * hold. Source: Apache Thrift, "Thrift compact protocol encoding".
 * @returns the offset behind the structure
 * @throws Error: a length or a count above the bytes that are left, a number that is too long, an unknown type, structures
 * nested too deep, or no end
 */
export function walkStructure(view: DataView, begin: number): number {
  const reader = { view, offset: begin };
  skipStructure(reader, 0);
  return reader.offset;
}

/** Parquet's own heads nest eight deep. */
const deepest = 32;

/** The compact protocol's numbers of types. */
const types = {
  stop: 0,
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  structure: 12,
} as const;

interface Reader {
  readonly view: DataView;
  offset: number;
}

const left = ({ view, offset }: Reader): number => view.byteLength - offset;

function skipStructure(reader: Reader, depth: number): void {
  if (depth > deepest) throw new Error(`structures nested more than ${deepest} deep`);
  while (left(reader) > 0) {
    const head = reader.view.getUint8(reader.offset++);
    const type = head & 0x0f;
    if (type === types.stop) return;
    if (head >> 4 === 0) variable(reader, 5);
    if (type !== types.true && type !== types.false) skipValue(reader, type, depth + 1);
  }
  throw new Error("a structure without an end");
}

function skipValue(reader: Reader, type: number, depth: number): void {
  const length = lengthOf(reader, type);
  if (length !== undefined) skip(reader, length);
  else if (type === types.list || type === types.set) skipList(reader, depth);
  else if (type === types.map) skipMap(reader, depth);
  else if (type === types.structure) skipStructure(reader, depth);
  else throw new Error(`a value of the unknown type ${type}`);
}

/** The bytes that are left of a value that holds no others. */
function lengthOf(reader: Reader, type: number): number | undefined {
  if (type === types.true || type === types.false || type === types.byte) return 1;
  if (type === types.double) return 8;
  if (type === types.binary) return variable(reader, 5);
  if (type !== types.i16 && type !== types.i32 && type !== types.i64) return undefined;
  variable(reader, type === types.i64 ? 10 : 5);
  return 0;
}

function skipList(reader: Reader, depth: number): void {
  if (depth > deepest) throw new Error(`lists nested more than ${deepest} deep`);
  const head = byteOf(reader);
  const count = head >> 4 === 15 ? variable(reader, 5) : head >> 4;
  skipValues(reader, count, [head & 0x0f], depth);
}

function skipMap(reader: Reader, depth: number): void {
  if (depth > deepest) throw new Error(`maps nested more than ${deepest} deep`);
  const count = variable(reader, 5);
  if (count === 0) return;
  const kinds = byteOf(reader);
  skipValues(reader, count, [kinds >> 4, kinds & 0x0f], depth);
}

/** Each value takes a byte or more, so that no count is above the bytes that are left. */
function skipValues(reader: Reader, count: number, kinds: readonly number[], depth: number): void {
  if (count * kinds.length > left(reader)) throw new Error(`${count} values in ${left(reader)} bytes`);
  for (let seen = 0; seen < count; seen++) for (const kind of kinds) skipValue(reader, kind, depth + 1);
}

function skip(reader: Reader, length: number): void {
  if (length > left(reader)) throw new Error(`${length} bytes, where ${left(reader)} are left`);
  reader.offset += length;
}

function byteOf(reader: Reader): number {
  const at = reader.offset;
  skip(reader, 1);
  return reader.view.getUint8(at);
}

/** A number of seven bits a byte, the lowest first, which ends within `most` bytes. */
function variable(reader: Reader, most: number): number {
  let value = 0;
  for (let place = 0; place < most; place++) {
    const byte = byteOf(reader);
    value += (byte & 0x7f) * 2 ** (7 * place);
    if (byte < 0x80) return value;
  }
  throw new Error(`a number of more than ${most} bytes`);
}
