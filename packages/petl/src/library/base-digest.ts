import { createHash } from "node:crypto";
import type { ByteSource, Folder } from "@petl/core/engine";

/** Bytes that are read at once. */
export const pieceBytes = 2 ** 23;
/** Files up to this size are read whole to tell one base from another; of larger ones a part. */
const wholeFile = 2 ** 28;
/** Samples of a larger file, besides its beginning and its end. */
const samples = 64;
const sampleBytes = 2 ** 16;

export const isWeights = (name: string) => name.endsWith(".safetensors");

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
    for (let start = 0; start < source.size; start += pieceBytes)
      yield await source.read(start, Math.min(pieceBytes, source.size - start));
    return;
  }
  yield await source.read(0, pieceBytes); // the header lies here
  const stride = (source.size - sampleBytes) / samples;
  for (let i = 1; i <= samples; i++) yield await source.read(Math.floor(i * stride), sampleBytes);
}
