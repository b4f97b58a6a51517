import type { Stats } from "node:fs";
import { type FileHandle, open, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type ByteSource, type Folder, InputError, InternalError, isPlainName } from "@petl/core/engine";
import { explainFileError, systemCode } from "../machine-error.ts";

/** One folder of the file system. Links are followed (the Hugging Face cache is made of them); it is never written. */
export function directory(path: string): Folder {
  const root = resolve(path);
  return {
    name: basename(root),
    files: () => reading(root, () => fileNames(root)),
    async open(file) {
      requirePlainName(file);
      return openFile(join(root, file), file);
    },
  };
}

/** A folder, or one file as a folder of its own; undefined where nothing stands there. */
export async function fileOrDirectory(path: string): Promise<Folder | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return directory(path);
  if (!found?.isFile()) return undefined;
  const { name, open: openIn } = directory(dirname(path));
  return { name, open: openIn, files: async () => [basename(path)] };
}

/** The folder and name of the file itself, behind all links: ONNX Runtime refuses external data that links lead to. */
export async function realLocation(path: string): Promise<{ readonly folder: string; readonly name: string }> {
  const real = await reading(path, () => realpath(path));
  return { folder: dirname(real), name: basename(real) };
}

/** Throws an InputError for a name that could lead out of its folder. */
export function requirePlainName(name: string): void {
  if (isPlainName(name)) return;
  throw new InputError(
    `${JSON.stringify(name)} is no plain file name; separators, "..", ":" and control characters are refused`,
  );
}

/** Regular files, sorted by name; a link counts as what it leads to, a link to nothing is left out. */
async function fileNames(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(join(root, entry.name)))))
      names.push(entry.name);
  }
  return names.sort();
}

async function leadsToFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR") return false;
    throw error;
  }
}

async function openFile(path: string, name: string): Promise<ByteSource> {
  const first = await reading(path, () => stat(path));
  if (!first.isFile()) throw new InputError(`"${path}" is not a regular file`);
  return {
    name,
    size: first.size,
    read(offset, length) {
      if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(length) || length < 0) {
        throw new InternalError(`bytes ${offset} + ${length} of "${path}" were asked for`);
      }
      if (offset + length > first.size)
        throw new InputError(`"${path}" ends at byte ${first.size}, before ${offset + length}`);
      return reading(path, () => readRange(path, first, offset, length));
    },
  };
}

/** Opens for every read: a byte source has no end, so it must hold no descriptor. */
async function readRange(path: string, first: Stats, offset: number, length: number): Promise<Uint8Array> {
  const handle = await open(path, "r");
  try {
    const now = await handle.stat();
    if (now.ino !== first.ino || now.size !== first.size || now.mtimeMs !== first.mtimeMs) throw changed(path);
    return await readFully(handle, path, offset, length);
  } finally {
    await handle.close();
  }
}

async function readFully(handle: FileHandle, path: string, offset: number, length: number): Promise<Uint8Array> {
  const largestCall = 2 ** 30; // one system call reads less than 2 GiB
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(largestCall, length - done), offset + done);
    if (bytesRead === 0) throw changed(path);
    done += bytesRead;
  }
  return bytes;
}

function changed(path: string): InputError {
  return new InputError(`"${path}" was changed while it was being read; run the command again`);
}

async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainFileError(error, "read", path);
  }
}

/** The names of everything in a folder; none where there is no such folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw explainFileError(error, "read", folder);
  }
}
