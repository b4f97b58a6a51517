import { InputError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { type HostTensor, sizeOf } from "../tensor/host-tensor.ts";
import type { OwnBytes } from "../tensor/own-memory.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { joinBytes } from "../values.ts";
import { littleEndian } from "./bytes.ts";
import { type ByteSource, readBytes } from "./folder.ts";
import { quote } from "./json.ts";
import { refusePointer } from "./lfs-pointer.ts";

/** A GGUF file's pairs of names and values, lists left out, and its tensors. */
interface Gguf {
  readonly fields: ReadonlyMap<string, string | number | boolean>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

const magic = 0x46554747;
const version = 3;
const alignment = 32;
/** Names and values of an adapter are short. */
const longestHead = 2 ** 24;
const types: ReadonlyMap<number, DType> = new Map([
  [0, "float32"],
  [1, "float16"],
  [30, "bfloat16"],
]);

interface Cursor {
  readonly source: ByteSource;
  readonly view: DataView;
  at: number;
}

/**
 * The head of a GGUF file, version 2 or 3, little-endian; no tensor is read. Shapes are turned round, as GGUF writes the
 * fastest axis first.
 *
 * @throws InputError where the head is damaged or a tensor is quantised
 * Source: ggml-org/ggml, docs/gguf.md
 */
export async function readGguf(source: ByteSource): Promise<Gguf> {
  const bytes = await readBytes(source, 0, Math.min(source.size, longestHead));
  const cursor: Cursor = { source, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0 };
  if (uint32(cursor) !== magic) {
    await refusePointer(source);
    throw new InputError(`${source.name}: is no GGUF file`);
  }
  const found = uint32(cursor);
  if (found !== 2 && found !== 3)
    throw new InputError(`${source.name}: is GGUF of version ${found}; petl reads 2 and 3`);
  const [tensorCount, fieldCount] = [count(cursor), count(cursor)];
  const fields = new Map<string, string | number | boolean>();
  for (let at = 0; at < fieldCount; at++) {
    const name = text(cursor);
    const value = readValue(cursor, uint32(cursor));
    if (value !== undefined) fields.set(name, value);
  }
  const described: ReturnType<typeof readDescription>[] = [];
  while (described.length < tensorCount) described.push(readDescription(cursor));
  const unit = Number(fields.get("general.alignment") ?? alignment);
  const start = Math.ceil(cursor.at / unit) * unit;
  const tensors = described.map(({ name, shape, dtype, begin }): [string, StoredTensor] => {
    const [offset, byteLength] = [start + begin, sizeOf(shape) * bytesOf[dtype]];
    if (!(offset + byteLength <= source.size))
      throw new InputError(`${source.name}: ends within tensor ${quote(name)}`);
    return [name, { name, file: source.name, offset, byteLength, dtype, shape }];
  });
  const byName = new Map(tensors);
  if (byName.size < tensors.length) throw new InputError(`${source.name}: holds two tensors of one name`);
  return { fields, tensors: byName };
}

function readDescription(cursor: Cursor) {
  const name = text(cursor);
  const axes = uint32(cursor);
  if (axes > 4) throw new InputError(`${cursor.source.name}: tensor ${quote(name)} has ${axes} axes; GGUF has up to 4`);
  const shape = Array.from({ length: axes }, () => count(cursor)).reverse();
  const [type, begin] = [uint32(cursor), count(cursor)];
  const dtype = types.get(type);
  if (dtype) return { name, shape, dtype, begin };
  throw new InputError(
    `${cursor.source.name}: tensor ${quote(name)} is of GGML's type ${type}; petl reads F32, F16 and BF16`,
  );
}

/** Bytes of a value by its type's number; 8 is a text, 9 a list. */
const sizes: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

/** A text, a truth value or a number; lists are passed over. */
function readValue(cursor: Cursor, type: number): string | number | boolean | undefined {
  if (type === 8) return text(cursor);
  if (type === 9) {
    const inner = uint32(cursor);
    if (inner === 9) throw damaged(cursor);
    for (let left = count(cursor); left > 0; left--) readValue(cursor, inner);
    return undefined;
  }
  const at = skip(cursor, sizes[type] ?? Number.POSITIVE_INFINITY);
  if (type === 4) return cursor.view.getUint32(at, true);
  if (type === 6) return cursor.view.getFloat32(at, true);
  if (type === 7) return cursor.view.getUint8(at) !== 0;
  return undefined; // of other types no field is asked for
}

function skip(cursor: Cursor, length: number): number {
  const { at } = cursor;
  if (!(at + length <= cursor.view.byteLength)) throw damaged(cursor);
  cursor.at += length;
  return at;
}

const uint32 = (cursor: Cursor): number => cursor.view.getUint32(skip(cursor, 4), true);

/** Nothing is counted that has no byte in the file. */
function count(cursor: Cursor): number {
  const value = cursor.view.getBigUint64(skip(cursor, 8), true);
  if (value > BigInt(cursor.source.size)) throw damaged(cursor);
  return Number(value);
}

function text(cursor: Cursor): string {
  const length = count(cursor);
  const at = skip(cursor, length);
  return new TextDecoder().decode(new Uint8Array(cursor.view.buffer, cursor.view.byteOffset + at, length));
}

const damaged = ({ source }: Cursor): InputError => new InputError(`${source.name}: is a damaged GGUF file`);

/** A GGUF file of float32 tensors; numbers among the fields are written as float32. */
export function ggufBytes(
  fields: readonly (readonly [name: string, value: string | number])[],
  tensors: readonly (readonly [name: string, tensor: HostTensor])[],
): OwnBytes {
  const head: Uint8Array[] = [
    littleEndian("uint32", magic),
    littleEndian("uint32", version),
    uint64(tensors.length),
    uint64(fields.length),
  ];
  for (const [name, value] of fields) {
    const typed =
      typeof value === "string" ? ([8, string(value)] as const) : ([6, littleEndian("float32", value)] as const);
    head.push(string(name), littleEndian("uint32", typed[0]), typed[1]);
  }
  let offset = 0;
  const data: Uint8Array[] = [];
  for (const [name, { shape, data: values }] of tensors) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    head.push(string(name), littleEndian("uint32", shape.length), ...shape.toReversed().map(uint64));
    head.push(littleEndian("uint32", 0), uint64(offset));
    data.push(bytes, new Uint8Array(padding(bytes.length)));
    offset += bytes.length + padding(bytes.length);
  }
  const start = joinBytes(head);
  return joinBytes([start, new Uint8Array(padding(start.length)), ...data]);
}

const padding = (length: number): number => (alignment - (length % alignment)) % alignment;
const uint64 = (value: number) => littleEndian("uint64", value);

function string(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return joinBytes([uint64(bytes.length), bytes]);
}
