import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { InputError, mostUnpacked } from "@petl/core";
import { explainFileError, systemCode } from "../machine-error.ts";

/**
 * Bytes that are read at a time; between two such pieces the process hears what it is told. What is made of a larger piece
 * lives long enough to be copied by the collector: with 2²⁰ reading takes half as much of the processor again.
 */
const pieceBytes = 2 ** 18;

export interface PieceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of the file are read, after every piece. */
  readonly onBytes: (read: number) => void;
}

export const isPacked = (path: string): boolean => /\.gz$/i.test(path);

/**
 * A file's bytes in pieces; a file that is packed with gzip is unpacked.
 * @throws the signal's reason; InputError for gzip that is cut or was made to fill the memory
 */
export const filePieces = (path: string, options: Partial<PieceOptions> = {}): AsyncIterable<Uint8Array> =>
  isPacked(path) ? unpackedBytes(path, options) : plainBytes(path, options);

/** The beginning of a file, unpacked. */
export async function beginningOf(path: string): Promise<Uint8Array> {
  const begun: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of filePieces(path)) {
    begun.push(bytes);
    length += bytes.length;
    if (length >= pieceBytes) break;
  }
  return Buffer.concat(begun);
}

async function* plainBytes(path: string, { signal, onBytes }: Partial<PieceOptions> = {}): AsyncGenerator<Uint8Array> {
  const file = await reading(path, () => open(path, "r"));
  try {
    for (let read = 0; ; ) {
      signal?.throwIfAborted();
      const bytes = await reading(path, () => nextBytes(file));
      if (bytes.length === 0) return;
      read += bytes.length;
      onBytes?.(read);
      yield bytes;
    }
  } finally {
    await file.close();
  }
}

async function nextBytes(file: FileHandle): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(pieceBytes), 0, pieceBytes, null);
  return buffer.subarray(0, bytesRead);
}

/** What gzip's members hold, one behind the other; zlib checks length and checksum of each. */
async function* unpackedBytes(
  path: string,
  { signal, onBytes }: Partial<PieceOptions> = {},
): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: pieceBytes });
  const unpacking = createGunzip({ chunkSize: pieceBytes });
  file.on("error", (error) => unpacking.destroy(error));
  let length = 0;
  try {
    for await (const bytes of file.pipe(unpacking)) {
      signal?.throwIfAborted();
      length += bytes.length;
      if (length > mostUnpacked(file.bytesRead))
        throw new InputError(`"${path}": unpacks to more than ${Math.round(length / 1e6)} MB; unpack it before`);
      onBytes?.(file.bytesRead);
      yield bytes;
    }
  } catch (error) {
    throw isDamage(error)
      ? new InputError(`"${path}": no gzip file, or one that is cut`)
      : explainFileError(error, "read", path);
  } finally {
    file.destroy();
    unpacking.destroy();
  }
}

const isDamage = (error: unknown): boolean => systemCode(error)?.startsWith("Z_") === true;

async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainFileError(error, "read", path);
  }
}
