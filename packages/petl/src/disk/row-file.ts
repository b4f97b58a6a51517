import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RowStore } from "@petl/core";
import { systemCode } from "../machine-error.ts";
import { discard, isAlive } from "./temporary.ts";

const named = /^petl-cache-(\d{1,10})-[0-9a-f]{12}\.rows$/;

/**
 * Rows in one file of the system's folder for temporary ones, of at most so many bytes. Whatever goes wrong with it is said
 * once, and from then on it holds nothing. What a process that died has left is removed first.
 *
 * @returns undefined where the file cannot be made
 */
export async function openRowFile(bytes: number, remark: (text: string) => void): Promise<RowStore | undefined> {
  const folder = tmpdir();
  await removeLeftovers(folder);
  const path = join(folder, `petl-cache-${process.pid}-${randomBytes(6).toString("hex")}.rows`);
  const drop = (error: unknown) =>
    remark(`cache: dropped, since ${path} cannot be used (${systemCode(error) ?? error})`);
  try {
    return rowFile(path, await open(path, "wx+", 0o600), bytes, drop);
  } catch (error) {
    drop(error);
    return undefined;
  }
}

function rowFile(path: string, file: FileHandle, bytes: number, drop: (error: unknown) => void): RowStore {
  const places = new Map<number, { readonly at: number; readonly length: number }>();
  let end = 0;
  let held: FileHandle | undefined = file;
  const close = async () => {
    const closing = held;
    held = undefined;
    places.clear();
    await closing?.close().catch(() => undefined);
    await discard(path);
  };
  const guarded = async <T>(work: (open: FileHandle) => Promise<T>): Promise<T | undefined> => {
    if (!held) return undefined;
    try {
      return await work(held);
    } catch (error) {
      if (held) drop(error);
      await close();
      return undefined;
    }
  };
  return {
    read(row) {
      const place = places.get(row);
      return place === undefined
        ? Promise.resolve(undefined)
        : guarded((open) => readNumbers(open, place.at, place.length));
    },
    async write(row, numbers) {
      if (places.has(row) || end + numbers.byteLength > bytes) return;
      const at = end;
      end += numbers.byteLength;
      await guarded(async (open) => {
        await writeWhole(open, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), at);
        places.set(row, { at, length: numbers.length });
      });
    },
    close,
  };
}

async function readNumbers(file: FileHandle, at: number, length: number): Promise<Float32Array> {
  const numbers = new Float32Array(length);
  const bytes = new Uint8Array(numbers.buffer);
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, at + done);
    if (bytesRead === 0) throw new Error("it is shorter than it was");
    done += bytesRead;
  }
  return numbers;
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

/** Removes the files of processes that no longer run. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, pid] = named.exec(name) ?? [];
    if (pid !== undefined && Number(pid) !== process.pid && !isAlive(Number(pid))) await discard(join(folder, name));
  }
}
