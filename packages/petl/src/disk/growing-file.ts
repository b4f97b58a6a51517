import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { explainFileError, systemCode } from "../machine-error.ts";

/** A file that only grows; what is in it already can be read while it does. */
interface GrowingFile {
  /** Adds bytes; where that fails, the file stays as it was. */
  append(bytes: Uint8Array): void;
  /** Forces everything to the disk. */
  sync(): void;
  close(): void;
}

/** Opens a file that is there or not; its first `kept` bytes stay, what is behind them goes. */
export function growingFile(path: string, kept = 0): GrowingFile {
  const descriptor = writing(path, () => openSync(path, "a"));
  let size = kept;
  const cut = () => ftruncateSync(descriptor, size);
  writing(path, cut);
  return {
    append(bytes) {
      try {
        for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
        size += bytes.length;
      } catch (error) {
        cut();
        throw explainFileError(error, "write", path);
      }
    },
    sync: () => writing(path, () => fsyncSync(descriptor)),
    close: () => closeSync(descriptor),
  };
}

/** The bytes of a file; none where there is no such file. */
export function bytesAt(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return Buffer.alloc(0);
    throw explainFileError(error, "read", path);
  }
}

function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainFileError(error, "write", path);
  }
}
