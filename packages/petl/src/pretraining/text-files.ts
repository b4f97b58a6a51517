import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { InputError, type Paragraph } from "@petl/core";
import { explainFileError, systemCode } from "../machine-error.ts";
import { linesInPieces, paragraphsOf } from "./paragraphs.ts";

/** A file of running text, plain or gzip. */
export interface TextFile {
  readonly path: string;
  /** as it lies on the disk */
  readonly bytes: number;
}

const textName = /\.(txt|md)(\.gz)?$/i;

/** The files that were named, and of folders all .txt and .md, plain or .gz, by name, also in folders below. */
export async function findTexts(paths: readonly string[]): Promise<readonly TextFile[]> {
  const found: TextFile[] = [];
  for (const path of paths.map((each) => resolve(each))) {
    const stats = await reading(path, () => stat(path));
    if (stats.isFile()) found.push({ path, bytes: stats.size });
    else found.push(...(await textsIn(path)));
  }
  if (found.length > 0) return found;
  throw new InputError(`${paths.join(", ")}: there is no text; a folder's .txt, .md, .txt.gz and .md.gz are read`);
}

async function textsIn(folder: string): Promise<readonly TextFile[]> {
  const names = (await reading(folder, () => readdir(folder, { recursive: true }))).filter((name) =>
    textName.test(name),
  );
  const files = await Promise.all(
    names.sort().map(async (name) => ({ path: join(folder, name), stats: await stat(join(folder, name)) })),
  );
  return files.flatMap(({ path, stats }) => (stats.isFile() ? [{ path, bytes: stats.size }] : []));
}

/** How a stream of text is watched and ended. */
interface ReadingWatch {
  /** bytes of all files read so far */
  readonly onRead?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** The paragraphs of all files, each file a document; of the text, only the paragraph at hand is in memory. */
export async function* readTexts(
  files: readonly TextFile[],
  { onRead, signal }: ReadingWatch = {},
): AsyncGenerator<Paragraph, void, void> {
  let before = 0;
  for (const [document, { path, bytes }] of files.entries()) {
    const chunks = chunksOf(path, (read) => onRead?.(before + read), signal);
    for await (const text of paragraphsOf(linesInPieces(decoded(chunks, path)))) yield { text, document };
    before += bytes;
  }
}

/** SHA-256 of the files' bytes, one behind the other. */
export async function digestOfTexts(files: readonly TextFile[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { path, bytes } of files) {
    hash.update(`${bytes}\n`);
    await reading(path, async () => {
      for await (const chunk of createReadStream(path)) hash.update(chunk);
    });
  }
  return hash.digest("hex");
}

/** A file's bytes, unpacked where its name ends in .gz. */
async function* chunksOf(
  path: string,
  onRead: (bytes: number) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  const file = createReadStream(path);
  const unpacked: Readable = /\.gz$/i.test(path) ? file.pipe(createGunzip()) : file;
  file.on("error", (error) => unpacked.destroy(error)); // pipe doesn't hand errors on
  try {
    for await (const chunk of unpacked) {
      signal?.throwIfAborted();
      onRead(file.bytesRead);
      yield chunk;
    }
  } catch (error) {
    if (systemCode(error)?.startsWith("Z_")) throw new InputError(`"${path}" is no whole gzip file`);
    throw explainFileError(error, "read", path);
  } finally {
    file.destroy();
  }
}

async function* decoded(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const text = (chunk?: Uint8Array) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new InputError(`"${path}" is not UTF-8 text`);
    }
  };
  for await (const chunk of chunks) yield text(chunk);
  yield text();
}

async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainFileError(error, "read", path);
  }
}
