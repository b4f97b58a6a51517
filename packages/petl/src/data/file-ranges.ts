import { open } from "node:fs/promises";
import { InputError } from "@petl/core";
import { explainFileError } from "../machine-error.ts";

/** What is asked of a file that is read where its bytes are needed. */
interface OpenFile {
  readonly size: number;
  read(start: number, end: number): Promise<ArrayBuffer>;
}

/** What is made of a file that stays open meanwhile. @throws MachineError; InputError where it became shorter */
export async function* fileRanges<T>(
  path: string,
  size: number,
  work: (file: OpenFile) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const failed = (error: unknown) => explainFileError(error, "read", path);
  const file = await open(path, "r").catch((error: unknown) => {
    throw failed(error);
  });
  const read = async (start: number, end: number) => {
    const bytes = new Uint8Array(end - start);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at).catch((error: unknown) => {
        throw failed(error);
      });
      if (bytesRead === 0) throw new InputError(`"${path}" became shorter while it was read`);
      at += bytesRead;
    }
    return bytes.buffer;
  };
  try {
    yield* work({ size, read });
  } finally {
    await file.close();
  }
}
