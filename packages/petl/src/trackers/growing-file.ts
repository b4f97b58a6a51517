import { closeSync, openSync, writeSync } from "node:fs";
import { explainFileError } from "../machine-error.ts";

/** A new file that only grows; what is in it already can be read while it does. */
export interface GrowingFile {
  append(bytes: Uint8Array): void;
  close(): void;
}

export function growingFile(path: string): GrowingFile {
  const using = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw explainFileError(error, "write", path);
    }
  };
  const descriptor = using(() => openSync(path, "ax"));
  return {
    append: (bytes) =>
      using(() => {
        for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
      }),
    close: () => closeSync(descriptor),
  };
}
