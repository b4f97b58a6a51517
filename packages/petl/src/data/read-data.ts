import { readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import {
  type ByteKeeper,
  type ClassFile,
  type ColumnChoice,
  classFiles,
  classTable,
  type ExampleSet,
  InputError,
  joinSets,
  type ReadOptions,
  rangedParts,
  readParts,
  readRows,
  readTable,
  streamTable,
  type Table,
  weightedSet,
  wholeText,
} from "@petl/core";
import { letterFile } from "../disk/letter-file.ts";
import { filesBelow } from "../hub/data-folder.ts";
import { explainFileError } from "../machine-error.ts";
import { beginningOf, filePieces, isPacked } from "./file-pieces.ts";
import { fileRanges } from "./file-ranges.ts";
import type { DataFile } from "./find-data.ts";
import { pausing } from "./pausing.ts";

/** How the rows of a data file are read. */
export interface DataOptions extends ColumnChoice, ReadOptions {}

/**
 * The rows of a file that is asked for answers, `-` for JSONL from stdin, and the `id` of each where they have one. Labels
 * that some have and others lack count for nothing.
 */
export async function readInput(
  path: string,
  options: DataOptions = {},
  access: ReadAccess = {},
): Promise<{ readonly set: ExampleSet; readonly ids: readonly unknown[] }> {
  const { header, encoding, sheet, ...columns } = options;
  const reading = { header, encoding, sheet };
  const ids: unknown[] = [];
  const onRows = (rows: Table["rows"]) => {
    for (const row of rows) ids.push(row.id);
  };
  const keep = letterFile(tmpdir());
  if (path !== "-") return { set: await examplesOf(path, { name: path, reading, columns, access, keep, onRows }), ids };
  const table = await readTable("stdin.jsonl", await stdinBytes(), reading);
  onRows(table.rows);
  return { set: readRows(table, columns), ids };
}

async function stdinBytes(): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const bytesOf = (path: string): Promise<Uint8Array> =>
  readFile(path).catch((error: unknown) => {
    throw explainFileError(error, "read", path);
  });

/** Files from this size on are read as their pieces come, where they can be. */
const largeFile = 2 ** 23;
/** Files below this size are read before anyone could look. */
const smallFile = 2 ** 17;
/** How much of rows of text gzip leaves. */
const packedShare = 1 / 4;

/** What is told while data are read: bytes of a file, and rows that became tokens, with the number of all. */
export type ReadEvent =
  | { readonly type: "reading"; readonly file: string; readonly done: number; readonly of: number }
  | { readonly type: "tokens"; readonly done: number; readonly of: number };

export interface ReadAccess {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ReadEvent) => void) | undefined;
}

/**
 * The examples of some files, one behind the other. Large CSV, TSV, JSON and Parquet files become rows part by part.
 * @throws InputError naming file and line; the signal's reason
 */
export async function readData(
  files: readonly DataFile[],
  options: DataOptions,
  access: ReadAccess = {},
): Promise<{ readonly set: ExampleSet }> {
  const { header, encoding, sheet, ...columns } = options;
  const sets: ExampleSet[] = [];
  const keep = letterFile(tmpdir());
  for (const { path, weight } of files) {
    access.signal?.throwIfAborted();
    const name = join(basename(dirname(path)), basename(path));
    const set = await examplesOf(path, { name, reading: { header, encoding, sheet }, columns, access, keep });
    sets.push(weightedSet(set, weight));
  }
  return { set: joinSets(sets) };
}

/** How a file is read, whatever its columns mean. */
interface WholeReading {
  readonly name: string;
  readonly reading: ReadOptions;
  readonly access: ReadAccess;
}

interface FileReading extends WholeReading {
  readonly columns: ColumnChoice;
  /** where the texts of a large file lie */
  readonly keep: ByteKeeper;
  /** told the rows as the file has them, part by part */
  readonly onRows?: ((rows: Table["rows"]) => void) | undefined;
}

async function examplesOf(
  path: string,
  { name, reading, columns, access, keep, onRows }: FileReading,
): Promise<ExampleSet> {
  const info = await stat(path).catch((error: unknown) => {
    throw explainFileError(error, "read", path);
  });
  const { size } = info;
  if (!info.isDirectory() && !info.isFile())
    throw new InputError(`can't read "${path}": it is a pipe or a device; write its rows to a file`);
  if (info.isDirectory()) {
    const table = await classFolder(path, { name, reading, access });
    onRows?.(table.rows);
    return readRows(table, columns);
  }
  const parts =
    size >= largeFile * (isPacked(path) ? packedShare : 1)
      ? await partsOf(path, size, { name, reading, access })
      : undefined;
  if (parts) return readParts(told(parts, onRows), columns, keep);
  const onShare = (share: number) => {
    if (size >= smallFile)
      access.onProgress?.({ type: "reading", file: name, done: Math.floor(share * size), of: size });
  };
  const table = await readTable(name, await bytesOf(path), reading, pausing(access.signal, onShare));
  onRows?.(table.rows);
  return readRows(table, columns);
}

/** A large file's rows part by part; undefined where only the whole file says how it is meant. */
async function partsOf(
  path: string,
  size: number,
  { name, reading, access: { signal, onProgress } }: WholeReading,
): Promise<AsyncIterable<Table> | undefined> {
  const onBytes = (done: number) => onProgress?.({ type: "reading", file: name, done, of: size });
  const start = await beginningOf(path);
  const stream = streamTable(name, start, reading);
  if (stream) return stream(() => filePieces(path, { signal, onBytes }));
  onBytes(0);
  const pause = pausing(signal);
  const pauseAt = async (done: number, of: number) => {
    onBytes((size * done) / Math.max(1, of));
    await pause(done);
  };
  const ranged = rangedParts(name);
  return ranged && fileRanges(path, size, (file) => ranged(file, pauseAt));
}

/** Files of a text each, between two reports. */
const filesATime = 1_000;

/** The texts of a folder that has a folder for each class. */
async function classFolder(folder: string, { name, reading, access }: WholeReading): Promise<Table> {
  const files = classFiles(await filesBelow(folder));
  if (!files) throw new InputError(`"${folder}" is a folder; name one of its files`);
  const texts: (ClassFile & { readonly text: string })[] = [];
  let read = 0;
  for (const file of files) {
    access.signal?.throwIfAborted();
    const bytes = await bytesOf(join(folder, file.path));
    read += bytes.length;
    texts.push({ ...file, text: wholeText(`${name}/${file.path}`, bytes, reading) });
    if (texts.length % filesATime === 0)
      access.onProgress?.({ type: "reading", file: name, done: read, of: (read / texts.length) * files.length });
  }
  return classTable(name, texts);
}

/** The same parts, each told of as it passes. */
async function* told(parts: AsyncIterable<Table>, onRows: FileReading["onRows"]): AsyncGenerator<Table> {
  for await (const part of parts) {
    onRows?.(part.rows);
    yield part;
  }
}
