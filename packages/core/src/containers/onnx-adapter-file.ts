import { InputError, InternalError } from "../errors.ts";
import { bytesOf, onnxTypes } from "../tensor/dtype.ts";
import { type HostTensor, rawBytes, sizeOf } from "../tensor/host-tensor.ts";
import type { OwnBytes } from "../tensor/own-memory.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { type ByteSource, readBytes } from "./folder.ts";
import { quote } from "./json.ts";
import { problemList } from "./problem-list.ts";

/*
 * ONNX Runtime's adapter_schema.fbs, format version 1, as FlatBuffers lay it out: an offset to the root table, the mark
 * "TORT", and tables of four fields each,
 *   Adapter { format_version: int32, adapter_version: int32, model_version: int32, parameters: [Parameter] }
 *   Parameter { name: string, dims: [int64], data_type: int32 (ONNX's number), raw_data: [uint8], aligned to 8 bytes }
 * A table begins with its distance from its vtable, which says how far from the table's begin each field is; strings and
 * vectors are distances to a length and what follows it.
 * Source: onnxruntime/lora/adapter_format/adapter_schema.fbs; FlatBuffers' internals, flatbuffers.dev/internals
 */
const mark = "TORT";
const fields = { first: 4, second: 8, third: 12, fourth: 16 };
const tableSize = 20;
/** its own length, the tables', and where the four fields are; both tables have this one */
const vtable = [12, tableSize, ...Object.values(fields)];
const vtableAt = 8;
const rootAt = vtableAt + 2 * vtable.length;
const parametersAt = rootAt + tableSize;

/** @throws InputError where the file would have 2 GB, the most that FlatBuffers can hold */
export function onnxAdapterBytes(parameters: readonly (readonly [string, HostTensor])[]): OwnBytes {
  let end = parametersAt + 4 + (4 + tableSize) * parameters.length;
  // a length, and elements from a multiple of 8 on
  const place = (bytes: number) => {
    const begin = Math.ceil((end + 4) / 8) * 8 - 4;
    end = begin + 4 + bytes;
    return begin;
  };
  const placed = parameters.map(([text, tensor]) => {
    const [name, data] = [new TextEncoder().encode(text), rawBytes(tensor.data)];
    const at = { name: place(name.length + 1), dims: place(8 * tensor.shape.length), data: place(data.length) };
    return { name, data, tensor, at };
  });
  if (end >= 2 ** 31) throw new InputError("an .onnx_adapter holds 2 GB at most");
  const out = new Uint8Array(end);
  const view = new DataView(out.buffer);
  const int32 = (at: number, value: number) => view.setInt32(at, value, true);
  const pointTo = (at: number, target: number) => int32(at, target - at);
  const table = (at: number) => int32(at, at - vtableAt);
  const vector = (at: number, count: number, bytes: Uint8Array) => {
    int32(at, count);
    out.set(bytes, at + 4);
  };
  pointTo(0, rootAt);
  out.set(new TextEncoder().encode(mark), 4);
  for (const [i, value] of vtable.entries()) view.setUint16(vtableAt + 2 * i, value, true);
  table(rootAt);
  for (const version of [fields.first, fields.second, fields.third]) int32(rootAt + version, 1);
  pointTo(rootAt + fields.fourth, parametersAt);
  int32(parametersAt, placed.length);
  for (const [i, { name, data, tensor, at }] of placed.entries()) {
    const entry = parametersAt + 4 + 4 * i;
    const begin = parametersAt + 4 + 4 * placed.length + tableSize * i;
    pointTo(entry, begin);
    table(begin);
    for (const [field, target] of [
      [fields.first, at.name],
      [fields.second, at.dims],
      [fields.fourth, at.data],
    ] as const)
      pointTo(begin + field, target);
    int32(begin + fields.third, typeNumber(tensor));
    vector(at.name, name.length, name);
    vector(at.dims, tensor.shape.length, rawBytes(BigInt64Array.from(tensor.shape.map(BigInt))));
    vector(at.data, data.length, data);
  }
  return out;
}

function typeNumber({ dtype }: HostTensor): number {
  const number = onnxTypes.find(([name]) => name === dtype)?.[1];
  if (number === undefined) throw new InternalError(`ONNX has no type ${dtype}`);
  return number;
}

/** Nothing but a hostile file has longer ones. */
const longestName = 10_000;
const mostAxes = 64;

/**
 * The tensors of an `.onnx_adapter`, whoever wrote it, by name; no tensor is read.
 *
 * @throws InputError where the file is damaged, and with every parameter that is no tensor
 */
export async function readOnnxAdapter(source: ByteSource): Promise<ReadonlyMap<string, StoredTensor>> {
  if (source.size >= 2 ** 31) throw new InputError(`${source.name}: has 2 GB or more, which no .onnx_adapter has`);
  const bytes = await readBytes(source, 0, source.size);
  const read = reader(bytes, source.name);
  if (read.text(4, 4) !== mark) throw new InputError(`${source.name}: is no .onnx_adapter: "${mark}" is not its mark`);
  const root = read.table(read.target(0));
  const version = read.int32(root(0));
  if (version !== 1) throw new InputError(`${source.name}: has format version ${version}; petl reads 1`);
  const problems = problemList(source.name);
  const tensors = new Map<string, StoredTensor>();
  const parameters = read.vector(root(3), 4);
  let described = 0;
  for (let i = 0; i < parameters.count; i++) {
    const field = read.table(read.target(parameters.begin + 4 * i));
    const [text, dims, data] = [read.vector(field(0), 1), read.vector(field(1), 8), read.vector(field(3), 1)];
    if (text.count > longestName || dims.count > mostAxes) {
      problems.add(`parameter ${i} has a name of ${text.count} bytes and ${dims.count} axes`);
      continue;
    }
    described += text.count + 8 * dims.count + 1;
    if (described > bytes.length) throw new InputError(`${source.name}: its parameters share their names and axes`);
    const name = read.text(text.begin, text.count);
    const shape = Array.from({ length: dims.count }, (_, axis) => Number(read.int64(dims.begin + 8 * axis)));
    const type = read.int32(field(2));
    const dtype = onnxTypes.find(([known, number]) => number === type && known !== "uint4")?.[0];
    const size = dtype && sizeOf(shape) * bytesOf[dtype];
    if (tensors.has(name)) problems.add(`holds two parameters named ${quote(name)}`);
    else if (!dtype) problems.add(`parameter ${quote(name)} has ONNX's type ${type}, which petl does not read`);
    else if (shape.some((length) => !(length >= 0)) || size !== data.count) {
      problems.add(`parameter ${quote(name)} of ${data.count} bytes is no ${dtype} of shape [${shape.join(", ")}]`);
    } else tensors.set(name, { name, file: source.name, offset: data.begin, byteLength: data.count, dtype, shape });
  }
  problems.refuse();
  return tensors;
}

/** Reads FlatBuffers' parts, none of them outside of the bytes. */
function reader(bytes: Uint8Array, file: string) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const within = (at: number | undefined, length: number): number => {
    if (at === undefined || at < 0 || at + length > bytes.length) {
      throw new InputError(`${file}: is a damaged .onnx_adapter; is it a part of a download?`);
    }
    return at;
  };
  const int32 = (at: number | undefined) => view.getInt32(within(at, 4), true);
  const uint16 = (at: number) => view.getUint16(within(at, 2), true);
  const target = (at: number | undefined) => (at ?? 0) + view.getUint32(within(at, 4), true);
  return {
    int32,
    target,
    int64: (at: number) => view.getBigInt64(within(at, 8), true),
    text: (at: number, length: number) => new TextDecoder().decode(bytes.subarray(within(at, length), at + length)),
    /** where a table's field is; undefined where it is left out */
    table: (at: number) => (field: number) => {
      const own = at - int32(at);
      const distance = 2 * field + 6 <= uint16(own) ? uint16(own + 2 * field + 4) : 0;
      return distance === 0 ? undefined : at + distance;
    },
    /** what the offset at a place leads to */
    vector(at: number | undefined, width: number) {
      const length = target(at);
      const count = view.getUint32(within(length, 4), true);
      return { begin: within(length + 4, count * width), count };
    },
  };
}
