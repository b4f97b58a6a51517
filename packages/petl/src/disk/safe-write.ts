import { createHash } from "node:crypto";
import { mkdir, open, readdir, realpath, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { InputError } from "@petl/core";
import { explainFileError, systemCode } from "../machine-error.ts";
import { requirePlainName } from "./files.ts";
import { makeFolder } from "./make-folder.ts";
import { syncFolder } from "./sync-folder.ts";
import { discard, exists, mendLeftovers, temporarySibling } from "./temporary.ts";

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** What `writeFolderSafely` lends to its caller. */
export interface NewFolder {
  /**
   * Writes one file and forces it to the disk; `inner/file` makes the folder in between. Throws an InputError for a name
   * that isn't plain or comes twice.
   */
  write(file: string, chunks: Chunks): Promise<void>;
}

/** Size in bytes and lower-case hexadecimal SHA-256 of each file, by name. */
type FileDigests = Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;

interface FolderOptions {
  /** Replace a folder that isn't empty, with all that is in it. */
  readonly overwrite?: boolean;
  /** Name and content (JSON) of a last file, made from the others' digests. */
  readonly manifest?: { readonly name: string; readonly content: (files: FileDigests) => unknown };
}

/**
 * Writes a file that readers see whole or not at all, also after a crash or a power cut: a hidden sibling is written,
 * forced to the disk and renamed. Missing parent folders are made. On an error the old file stays as it was.
 */
export async function writeFileSafely(path: string, chunks: Chunks): Promise<void> {
  await writing(path, async () => {
    const target = await prepare(path);
    const temporary = temporarySibling(target);
    try {
      await writeNewFile(temporary, chunks);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(target));
  });
}

/**
 * Writes a folder that readers see whole or not at all: `writer` fills a hidden sibling, every file is forced to the
 * disk, the manifest comes last, a rename puts it in place. On an error, the writer's own too, nothing of `path`
 * changes. A crash between the two renames of an overwrite is mended by the next write (see `mendLeftovers`).
 * Throws an InputError where a folder that isn't empty stands there and `overwrite` isn't set.
 */
export async function writeFolderSafely<T>(
  path: string,
  writer: (folder: NewFolder) => Promise<T>,
  { overwrite = false, manifest }: FolderOptions = {},
): Promise<T> {
  const target = await writing(path, () => prepare(path));
  await writing(path, () => requireFree(target, path, overwrite));
  const temporary = temporarySibling(target);
  try {
    await writing(path, () => mkdir(temporary));
    const result = await fill(temporary, path, writer, manifest);
    await writing(path, () => requireFree(target, path, overwrite));
    await writing(path, () => putInPlace(temporary, target));
    return result;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Removes a folder, where there is one, so that readers see it whole or not at all. */
export async function removeFolderSafely(path: string): Promise<void> {
  if (!(await exists(path))) return;
  const temporary = temporarySibling(path);
  await writing(path, () => rename(path, temporary));
  await discard(temporary);
}

async function fill<T>(
  folder: string,
  path: string,
  writer: (folder: NewFolder) => Promise<T>,
  manifest: FolderOptions["manifest"],
): Promise<T> {
  const digests = new Map<string, { bytes: number; sha256: string }>();
  const write = async (file: string, chunks: Chunks) => {
    file.split("/").forEach(requirePlainName);
    const inner = dirname(join(folder, file));
    if (await exists(join(folder, file))) throw new InputError(`"${file}" was written twice`);
    await writing(join(path, file), async () => {
      await makeFolder(inner);
      digests.set(file, await writeNewFile(join(folder, file), chunks));
      if (inner !== folder) await syncFolder(inner);
    });
  };
  const result = await writer({ write });
  if (manifest) {
    const text = `${JSON.stringify(manifest.content(Object.fromEntries(digests)), null, 2)}\n`;
    await write(manifest.name, [new TextEncoder().encode(text)]);
  }
  await writing(path, () => syncFolder(folder));
  return result;
}

async function putInPlace(temporary: string, target: string): Promise<void> {
  const old = (await exists(target)) ? temporarySibling(target, "old") : undefined;
  if (old) await rename(target, old);
  try {
    await rename(temporary, target);
    await syncFolder(dirname(target));
  } catch (error) {
    if (!(await exists(temporary))) await rename(target, temporary);
    if (old) await rename(old, target);
    throw error;
  }
  if (old) await discard(old);
}

/** Writes a file that doesn't exist yet, and forces it to the disk. A failed fsync is never tried again. */
async function writeNewFile(path: string, chunks: Chunks): Promise<{ bytes: number; sha256: string }> {
  const handle = await open(path, "wx");
  try {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of chunks) {
      await handle.writeFile(chunk);
      hash.update(chunk);
      bytes += chunk.byteLength;
    }
    await handle.sync();
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    await handle.close();
  }
}

/** The path to write to, its parent made and the leftovers of dead writers mended. A link stays a link. */
async function prepare(path: string): Promise<string> {
  const target = await throughLinks(resolve(path));
  await makeFolder(dirname(target));
  await mendLeftovers(target);
  return target;
}

async function throughLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    if (await exists(path)) throw new InputError(`"${path}" is a link that leads nowhere`);
    return path;
  }
}

async function requireFree(target: string, path: string, overwrite: boolean): Promise<void> {
  if ((await entriesOf(target)).length === 0) return;
  if (!overwrite) {
    throw new InputError(
      `"${path}" exists and isn't empty; choose another folder, or allow it to be replaced (\`overwrite\`)`,
    );
  }
  if (holds(target, process.cwd()))
    throw new InputError(`"${path}" holds the folder you work in and is never replaced`);
  if (holds(target, homedir())) throw new InputError(`"${path}" holds your home folder and is never replaced`);
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

function holds(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way.split(sep)[0] !== ".." && !isAbsolute(way);
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainFileError(error, "write", path);
  }
}
