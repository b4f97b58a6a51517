import { InternalError, refuse } from "../errors.ts";
import { bytesOf, type DType } from "../tensor/dtype.ts";
import { type HostTensor, sizeOf } from "../tensor/host-tensor.ts";
import type { OwnBytes } from "../tensor/own-memory.ts";
import { quote } from "./json.ts";
import { maxHeaderLength, metadataKey, safetensorsTypes } from "./safetensors-types.ts";

/** One tensor to write; `bytes` is asked only when its turn has come. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Row-major and little-endian, as many as dtype and shape say. */
  bytes(): Promise<Uint8Array> | Uint8Array;
}

/** What Hugging Face's libraries write and ask for. */
const usualMetadata: Readonly<Record<string, string>> = { format: "pt" };

/**
 * A safetensors file in chunks: its header, then one chunk a tensor. The header is padded with spaces to 8 bytes and
 * the tensors are ordered by element type, then by name, so the file is byte for byte what the reference
 * implementation writes (which keeps no order of metadata; here they are sorted).
 *
 * @throws InputError where a name is impossible or taken twice
 */
export async function* encodeSafetensors(
  entries: readonly SafetensorsEntry[],
  metadata: Readonly<Record<string, string>> = usualMetadata,
): AsyncGenerator<Uint8Array, void, undefined> {
  const ordered = inFileOrder(entries);
  yield encodeHeader(ordered, metadata);
  for (const entry of ordered) {
    const bytes = await entry.bytes();
    if (bytes.length !== byteLengthOf(entry)) {
      throw new InternalError(
        `tensor ${quote(entry.name)} has ${bytes.length} bytes; its header says ${byteLengthOf(entry)}`,
      );
    }
    yield bytes;
  }
}

/** A whole safetensors file of a few tensors in memory, an adapter for example; the same bytes as encodeSafetensors. */
export function safetensorsBytes(
  tensors: Iterable<readonly [string, HostTensor]>,
  metadata: Readonly<Record<string, string>> = usualMetadata,
): OwnBytes {
  const entries = inFileOrder([...tensors].map(([name, { dtype, shape, data }]) => ({ name, dtype, shape, data })));
  const header = encodeHeader(entries, metadata);
  const out = new Uint8Array(entries.reduce((end, entry) => end + byteLengthOf(entry), header.length));
  out.set(header);
  let at = header.length;
  for (const entry of entries) {
    const { data, name } = entry;
    if (data.byteLength !== byteLengthOf(entry)) {
      throw new InternalError(`tensor ${quote(name)} has ${data.length} elements; its shape is [${entry.shape}]`);
    }
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return out;
}

/** How many bytes the file of such tensors has, without their values. */
export function safetensorsSize(
  tensors: readonly DescribedTensor[],
  metadata: Readonly<Record<string, string>> = usualMetadata,
): number {
  const header = encodeHeader(inFileOrder(tensors), metadata);
  return tensors.reduce((sum, tensor) => sum + byteLengthOf(tensor), header.length);
}

/** A tensor without its values. */
type DescribedTensor = Pick<SafetensorsEntry, "name" | "dtype" | "shape">;

function byteLengthOf({ dtype, shape }: DescribedTensor): number {
  return bytesOf[dtype] * sizeOf(shape);
}

const rankOf: ReadonlyMap<DType, number> = new Map(safetensorsTypes.map(([, dtype], rank) => [dtype, rank]));
const nameOf: ReadonlyMap<DType, string> = new Map(safetensorsTypes.map(([name, dtype]) => [dtype, name]));

function inFileOrder<T extends DescribedTensor>(entries: readonly T[]): T[] {
  const ordered = entries.toSorted(
    (a, b) => rankOf.get(a.dtype)! - rankOf.get(b.dtype)! || compareNames(a.name, b.name),
  );
  const names = new Set<string>();
  const problems: string[] = [];
  for (const { name } of entries) {
    if (names.has(name)) problems.push(`two tensors are named ${quote(name)}`);
    if (name === metadataKey) problems.push(`no tensor can be named ${quote(name)}`);
    if (/\p{Surrogate}/u.test(name))
      problems.push(`${quote(name)} is no well-formed text, so no tensor can have that name`);
    names.add(name);
  }
  refuse(problems);
  return ordered;
}

/** The order of the names' UTF-8 bytes, which is that of their code points and not that of UTF-16. */
function compareNames(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1);
}

/** Built as text: an object would put names like "0" first. */
function encodeHeader(ordered: readonly DescribedTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const fields: string[] = [];
  const texts = Object.entries(metadata).sort(([a], [b]) => compareNames(a, b));
  if (texts.length > 0)
    fields.push(
      `"${metadataKey}":{${texts.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join(",")}}`,
    );
  let end = 0;
  for (const entry of ordered) {
    const begin = end;
    end += byteLengthOf(entry);
    const { name, dtype, shape } = entry;
    fields.push(
      `${JSON.stringify(name)}:{"dtype":"${nameOf.get(dtype)}","shape":[${shape}],"data_offsets":[${begin},${end}]}`,
    );
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeaderLength)
    throw new InternalError(`a safetensors header of ${length} bytes; readers allow ${maxHeaderLength}`);
  const out = new Uint8Array(8 + length).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(json, 8);
  return out;
}
