import { InputError } from "../errors.ts";
import { bytesOf, type DType } from "../tensor/dtype.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { isRecord } from "../values.ts";
import { type ByteSource, readBytes } from "./folder.ts";
import { parseStrictJson, quote } from "./json.ts";
import { mayBePointer, refusePointer } from "./lfs-pointer.ts";
import { problemList } from "./problem-list.ts";
import { maxHeaderLength, metadataKey, mostTensors, safetensorsTypes } from "./safetensors-types.ts";

/** What a safetensors file's header says. */
export interface Safetensors {
  /** In the order of their bytes; offsets count from the start of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads and checks the header of a safetensors file: 8 bytes of length, a JSON header, then the tensors' bytes, which
 * must cover the rest of the file without overlap or hole. Reads nothing outside of the file and no tensor.
 * Stricter than the reference implementation in refusing unknown fields, element types that petl has not, headers of more
 * than 25 MB and more than 100,000 tensors.
 *
 * @throws InputError with every problem of the header
 * Source: the format section of huggingface/safetensors' README
 */
export async function readSafetensors(source: ByteSource): Promise<Safetensors> {
  const headerLength = await readHeaderLength(source);
  const header = await readHeader(source, headerLength);
  const problems = problemList(source.name);
  const dataStart = 8 + headerLength;
  const count = Object.keys(header).length;
  if (count > mostTensors + 1)
    throw new InputError(`${source.name}: header: holds ${count} tensors; ${mostTensors} are allowed`);
  const tensors: StoredTensor[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === metadataKey) metadata = checkedMetadata(value, problems.add);
    else {
      const tensor = checkedTensor(name, value, { file: source.name, dataStart }, problems.add);
      if (tensor) tensors.push(tensor);
    }
  }
  problems.refuse();
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkCoverage(tensors, dataStart, source.size, problems.add);
  problems.refuse();
  return { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata };
}

async function readHeaderLength(source: ByteSource): Promise<number> {
  if (source.size < 8) {
    throw new InputError(
      `${source.name}: ${source.size} bytes are no safetensors file; the header's length alone takes 8`,
    );
  }
  const bytes = await readBytes(source, 0, 8);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const bound = Math.min(maxHeaderLength, source.size - 8);
  if (length > BigInt(bound)) {
    if (mayBePointer(bytes)) await refusePointer(source);
    throw new InputError(
      `${source.name}: no safetensors file: it claims a header of ${length} bytes; ` +
        `a file of ${source.size} bytes can have ${bound}`,
    );
  }
  return Number(length);
}

async function readHeader(source: ByteSource, length: number): Promise<object> {
  const bytes = await readBytes(source, 8, length);
  const place = `${source.name}: header`;
  if (bytes[0] !== 0x7b) throw new InputError(`${place}: must begin with "{"`);
  const header = parseStrictJson(decodeUtf8(bytes, place), place, 3);
  if (!isRecord(header)) throw new InputError(`${place}: must be an object`);
  return header;
}

function decodeUtf8(bytes: Uint8Array, place: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError(`${place}: is not UTF-8`);
  }
}

/** MLX writes null where there is none, which the reference implementation reads as none too. */
function checkedMetadata(value: unknown, problem: (text: string) => void): Record<string, string> {
  if (value === null) return {};
  if (!isRecord(value)) {
    problem(`${metadataKey} must be an object of texts`);
    return {};
  }
  const texts: [string, string][] = [];
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === "string") texts.push([key, text]);
    else problem(`${metadataKey}: ${quote(key)} must be a text`);
  }
  return Object.fromEntries(texts);
}

/** A tensor whose dtype, shape and byte range agree with each other; otherwise problems. */
function checkedTensor(
  name: string,
  value: unknown,
  { file, dataStart }: { readonly file: string; readonly dataStart: number },
  problem: (text: string) => void,
): StoredTensor | undefined {
  const about = (text: string) => problem(`tensor ${quote(name)}: ${text}`);
  if (/\p{Surrogate}/u.test(name)) about("its name is no well-formed text");
  if (!isRecord(value)) {
    about("must be an object with dtype, shape and data_offsets");
    return undefined;
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  for (const field of fields.keys()) {
    if (!tensorFields.includes(field)) about(`unknown field ${quote(field)}; allowed: ${tensorFields.join(", ")}`);
  }
  const dtype = checkedType(fields.get("dtype"), about);
  const shape = checkedShape(fields.get("shape"), about);
  const range = checkedRange(fields.get("data_offsets"), about);
  if (!dtype || !shape || !range) return undefined;
  const byteLength = byteLengthOf(dtype, shape);
  if (byteLength === undefined) about(`its shape [${shape}] has more elements than can be counted`);
  else if (byteLength !== range.end - range.begin) {
    about(`${range.end - range.begin} bytes in data_offsets, but ${dtype} of shape [${shape}] takes ${byteLength}`);
  } else return { name, file, offset: dataStart + range.begin, byteLength, dtype, shape };
  return undefined;
}

const tensorFields: readonly string[] = ["dtype", "shape", "data_offsets"];

const dtypeByName: ReadonlyMap<unknown, DType> = new Map(safetensorsTypes);

function checkedType(value: unknown, about: (text: string) => void): DType | undefined {
  const dtype = dtypeByName.get(value);
  if (!dtype) about(`dtype ${shown(value)} is not supported; supported: ${[...dtypeByName.keys()].join(", ")}`);
  return dtype;
}

function checkedShape(value: unknown, about: (text: string) => void): readonly number[] | undefined {
  if (Array.isArray(value) && value.length <= 64 && value.every(isCount)) return value;
  about(`shape ${shown(value)} is no list of at most 64 whole numbers >= 0`);
  return undefined;
}

function checkedRange(value: unknown, about: (text: string) => void): { begin: number; end: number } | undefined {
  if (Array.isArray(value) && value.length === 2 && value.every(isCount)) {
    const [begin, end] = value;
    if (begin! <= end!) return { begin: begin!, end: end! };
  }
  about(`data_offsets ${shown(value)} is no [begin, end] with 0 <= begin <= end`);
  return undefined;
}

/** dtype's bytes times the shape's product, or nothing where that is no safe integer. */
function byteLengthOf(dtype: DType, shape: readonly number[]): number | undefined {
  let bytes = bytesOf[dtype];
  for (const n of shape) {
    bytes *= n;
    if (!Number.isSafeInteger(bytes)) return undefined;
  }
  return bytes;
}

/** In the order of their offsets every tensor begins where the one before it ends, and the last ends with the file. */
function checkCoverage(
  sorted: readonly StoredTensor[],
  dataStart: number,
  size: number,
  problem: (text: string) => void,
) {
  let end = dataStart;
  for (const { name, offset, byteLength } of sorted) {
    if (offset < end)
      problem(`tensor ${quote(name)}: begins at byte ${offset}, inside of the tensor before it, which ends at ${end}`);
    if (offset > end) problem(`bytes ${end} to ${offset}, before tensor ${quote(name)}, belong to no tensor`);
    end = Math.max(end, offset + byteLength);
  }
  if (end < size) problem(`the last ${size - end} bytes belong to no tensor`);
  if (end > size) problem(`ends at byte ${size}, but its header needs ${end}; is it a part of a download?`);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
}

/** A header's value for a message. */
function shown(value: unknown): string {
  const text = value === undefined ? "(none)" : JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
