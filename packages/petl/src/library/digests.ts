import { createHash } from "node:crypto";
import type { ByteSource, ExampleSet, Folder, StopSignal } from "@petl/core";
import { throwIfStopped, tokenizerFilesOf, writtenRows } from "@petl/core";

/** Bytes that are read at once. */
const block = 2 ** 23;
/** Files up to this size are read whole to tell one base from another; of larger ones a part. */
const wholeFile = 2 ** 28;
/** Samples of a larger file, besides its beginning and its end. */
const samples = 64;
const sampleBytes = 2 ** 16;

const isWeights = (name: string) => name.endsWith(".safetensors");
const belongs = (name: string) => isWeights(name) || name === "config.json";

/**
 * SHA-256 of a base's config.json and of every byte of its weights: changes where one weight does. Costs what reading
 * the files does, a second for about half a gigabyte.
 * @throws the signal's reason
 */
export async function weightsDigest(folder: Folder, signal?: StopSignal): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await folder.files()).filter(belongs)) {
    const source = await folder.open(name);
    hash.update(`${name} ${source.size}\n`);
    for (let start = 0; start < source.size; start += block) {
      throwIfStopped(signal);
      hash.update(await source.read(start, Math.min(block, source.size - start)));
    }
  }
  return hash.digest("hex");
}

/** SHA-256 of what makes a base's tokens of text: changes where one character of its tokenizer's files does. */
export async function tokenizerDigest(folder: Folder): Promise<string> {
  const hash = createHash("sha256");
  for (const [name, text = ""] of Object.entries(await tokenizerFilesOf(folder)))
    if (name !== "config.json") hash.update(JSON.stringify([name, text])); // it belongs to the weights' digest
  return hash.digest("hex");
}

/**
 * SHA-256 that binds a run to its base: of all files' names and sizes, of configurations and of weights up to 256 MiB
 * every byte, of larger ones the header and samples over the whole file. Takes at most about half a second a file.
 */
export async function baseDigest(folder: Folder): Promise<string> {
  const hash = createHash("sha256");
  for (const name of await folder.files()) {
    const source = await folder.open(name);
    hash.update(`${name} ${source.size}\n`);
    if (name.endsWith("config.json")) hash.update(await source.read(0, source.size));
    if (isWeights(name)) for await (const bytes of seenBytes(source)) hash.update(bytes);
  }
  return hash.digest("hex");
}

/** A file's bytes, or those that stand for them. */
async function* seenBytes(source: ByteSource): AsyncGenerator<Uint8Array> {
  if (source.size <= wholeFile) {
    for (let start = 0; start < source.size; start += block)
      yield await source.read(start, Math.min(block, source.size - start));
    return;
  }
  yield await source.read(0, block); // the header lies here
  const stride = (source.size - sampleBytes) / samples;
  for (let i = 1; i <= samples; i++) yield await source.read(Math.floor(i * stride), sampleBytes);
}

/** SHA-256 over the stored bytes of a safetensors file's tensors, in ascending order of their names. */
export function tensorsDigest(file: Uint8Array): string {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header: Readonly<Record<string, { readonly data_offsets: readonly [number, number] }>> = JSON.parse(
    new TextDecoder().decode(file.subarray(8, 8 + length)),
  );
  const hash = createHash("sha256");
  for (const name of Object.keys(header)
    .filter((key) => key !== "__metadata__")
    .sort()) {
    const [from, to] = header[name]?.data_offsets ?? [0, 0];
    hash.update(file.subarray(8 + length + from, 8 + length + to));
  }
  return hash.digest("hex");
}

/** SHA-256 of the rows of sets, in their order: changes where one of them does. @throws the signal's reason */
export async function rowsDigest(sets: readonly (ExampleSet | undefined)[], signal?: StopSignal): Promise<string> {
  const hash = createHash("sha256");
  for (const set of sets) {
    hash.update("set\n");
    for (const bytes of writtenRows(set?.examples ?? [])) {
      hash.update(bytes);
      await new Promise((resolve) => setImmediate(resolve)); // in which the process hears what it is told
      throwIfStopped(signal);
    }
  }
  return hash.digest("hex");
}
