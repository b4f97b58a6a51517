import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, statfsSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ByteKeeper } from "@petl/core";
import { explainFileError, MachineError } from "../machine-error.ts";

/** Bytes that stay in memory, and those that are read at once where one row is read behind the other. */
const [inMemory, ahead] = [2 ** 22, 2 ** 16];
/** The share of the disk's free room that may be taken: a run's own checkpoints may go to the same disk. */
const mostOfDisk = 1 / 2;
/** Bytes between two reads that follow one another: texts begin at multiples of four. */
const near = 8;

/**
 * Keeps bytes that are read seldom: the first ones in memory, all others in one file of a folder for temporary ones. The file
 * loses its name as soon as it is open, so that none is left however the process ends, and its room with the last reader.
 * What the disk does not take, or would take from others, stays in memory.
 */
export function letterFile(folder: string, most = inMemory): ByteKeeper {
  let [held, end] = [0, 0];
  let file: LetterFile | undefined;
  let isUsable = true;
  return (bytes) => {
    if (held + bytes.length > most && isUsable) {
      try {
        file ??= openFile(folder);
        if (end + bytes.length <= file.room) {
          file.write(bytes, end);
          const [letters, start] = [file, end]; // held whole: its room goes with the last who hold it
          end += bytes.length;
          return (from, to) => letters.read(start + from, start + to);
        }
      } catch {
        isUsable = false;
      }
    }
    held += bytes.length;
    const own = bytes.slice();
    return (from, to) => own.subarray(from, to);
  };
}

interface LetterFile {
  /** bytes that it may grow to */
  readonly room: number;
  write(bytes: Uint8Array, at: number): void;
  /** the bytes between two places, which hold until the next ones are read */
  read(from: number, to: number): Uint8Array;
}

const unused = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

function openFile(folder: string): LetterFile {
  const { bavail, bsize } = statfsSync(folder);
  const path = join(folder, `petl-texts-${process.pid}-${randomBytes(6).toString("hex")}`);
  const descriptor = openSync(path, "wx+", 0o600);
  try {
    unlinkSync(path);
  } catch (error) {
    closeSync(descriptor);
    unlinkSync(path); // Windows refuses while somebody looks at an open file, as its guards against viruses do
    throw error;
  }
  let [window, start, end] = [new Uint8Array(ahead), 0, 0];
  const fill = (from: number, to: number, enough: number) => {
    if (window.length < to - from) window = new Uint8Array(to - from);
    [start, end] = [from, from];
    while (end < enough) {
      const count = readSync(descriptor, window, end - from, to - end, end);
      if (count === 0) throw new MachineError(`${path}: it is shorter than it was`);
      end += count;
    }
  };
  const file = {
    room: mostOfDisk * bavail * bsize,
    write(bytes: Uint8Array, at: number) {
      for (let done = 0; done < bytes.length; )
        done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
    },
    read(from: number, to: number) {
      if (from < start || to > end) {
        const follows = from >= start && from - end <= near;
        try {
          fill(from, follows ? Math.max(to, from + ahead) : to, to);
        } catch (error) {
          throw explainFileError(error, "read", path);
        }
      }
      return window.subarray(from - start, to - start);
    },
  };
  unused.register(file, descriptor);
  return file;
}
