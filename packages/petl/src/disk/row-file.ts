import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { RowStore } from "@petl/core";
import { systemCode } from "../machine-error.ts";
import { discard, writerIsDead } from "./temporary.ts";

const named = /^petl-cache-(\d{1,10})-[0-9a-f]{12}\.rows$/;

/**
 * Rows in one file of a folder for temporary ones, of at most so many bytes. Whatever goes wrong with it is said once, and
 * from then on it holds nothing.
 *
 * @returns undefined where the file cannot be made
 */
export async function openRowFile(
  folder: string,
  bytes: number,
  remark: (text: string) => void,
): Promise<RowStore | undefined> {
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

/** The part of an open file that rows are written to and read from. */
export type RowFile = Pick<FileHandle, "read" | "write" | "close">;

/** Rows in a file that is open, and removed when the store is closed or the file can no longer be used. */
export function rowFile(path: string, file: RowFile, most: number, drop: (error: unknown) => void): RowStore {
  const places = new Map<number, { readonly at: number; readonly length: number }>();
  let end = 0;
  let held: RowFile | undefined = file;
  const close = async () => {
    const closing = held;
    held = undefined;
    places.clear();
    await closing?.close().catch(() => undefined);
    await discard(path);
  };
  const guarded = async <T>(work: (open: RowFile) => Promise<T>): Promise<T | undefined> => {
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
        : guarded((rows) => readWhole(rows, place.at, place.length));
    },
    async write(row, bytes) {
      if (places.has(row) || end + bytes.length > most) return;
      const at = end;
      end += bytes.length;
      await guarded(async (rows) => {
        await writeWhole(rows, bytes, at);
        places.set(row, { at, length: bytes.length });
      });
    },
    close,
  };
}

async function readWhole(file: RowFile, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) throw new Error("it is shorter than it was");
    done += bytesRead;
  }
  return bytes;
}

async function writeWhole(file: RowFile, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

/** Removes the files of processes that were killed; those of living ones stay. */
export async function removeDeadRowFiles(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, pid] = named.exec(name) ?? [];
    const path = join(folder, name);
    if (pid !== undefined && (await writerIsDead(path, Number(pid)))) await discard(path);
  }
}
