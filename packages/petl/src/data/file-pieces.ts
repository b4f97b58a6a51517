import { type FileHandle, open } from "node:fs/promises";
import type { FilePiece } from "@petl/core";
import { explainFileError } from "../machine-error.ts";

/** Bytes that are read at a time; between two such pieces the process hears what it is told. */
const pieceBytes = 2 ** 20;

export interface PieceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes are read, after every piece. */
  readonly onBytes: (read: number) => void;
}

/** A file in pieces of whole lines, as long ones as lines make them. @throws the signal's reason */
export async function* filePieces(path: string, { signal, onBytes }: PieceOptions): AsyncGenerator<FilePiece> {
  const file = await reading(path, () => open(path, "r"));
  try {
    let [rest, read]: [Uint8Array, number] = [new Uint8Array(), 0];
    for (;;) {
      signal?.throwIfAborted();
      const bytes = await reading(path, () => nextBytes(file));
      read += bytes.length;
      onBytes(read);
      const whole = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      if (bytes.length === 0) return yield { bytes: rest, isLast: true };
      const end = whole.lastIndexOf(10) + 1;
      rest = whole.slice(end);
      if (end > 0) yield { bytes: whole.subarray(0, end), isLast: false };
    }
  } finally {
    await file.close();
  }
}

/** The beginning of a file. */
export async function beginningOf(path: string): Promise<Uint8Array> {
  const file = await reading(path, () => open(path, "r"));
  try {
    return await reading(path, () => nextBytes(file));
  } finally {
    await file.close();
  }
}

async function nextBytes(file: FileHandle): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(pieceBytes), 0, pieceBytes, null);
  return buffer.subarray(0, bytesRead);
}

async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainFileError(error, "read", path);
  }
}
