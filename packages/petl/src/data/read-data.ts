import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type ClassFile,
  type ColumnChoice,
  classFiles,
  classTable,
  type ExampleSet,
  InputError,
  joinSets,
  type ReadOptions,
  readParts,
  readRows,
  readTable,
  streamTable,
  type Table,
  weightedSet,
  wholeText,
} from "@petl/core";
import { filesBelow } from "../hub/data-folder.ts";
import { explainFileError } from "../machine-error.ts";
import { beginningOf, filePieces } from "./file-pieces.ts";
import type { DataFile } from "./find-data.ts";

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
  if (path !== "-") return { set: await examplesOf(path, { name: path, reading, columns, access, onRows }), ids };
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

/** What is told while data are read: bytes of a file, and rows that became tokens, with the number of all. */
export type ReadEvent =
  | { readonly type: "reading"; readonly file: string; readonly done: number; readonly of: number }
  | { readonly type: "tokens"; readonly done: number; readonly of: number };

export interface ReadAccess {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ReadEvent) => void) | undefined;
}

/**
 * The examples of some files, one behind the other. The bytes of large CSV and JSON Lines are never whole in memory.
 * @throws InputError naming file and line; the signal's reason
 */
export async function readData(
  files: readonly DataFile[],
  options: DataOptions,
  access: ReadAccess = {},
): Promise<{ readonly set: ExampleSet }> {
  const { header, encoding, sheet, ...columns } = options;
  const sets: ExampleSet[] = [];
  for (const { path, weight } of files) {
    access.signal?.throwIfAborted();
    const name = join(basename(dirname(path)), basename(path));
    const set = await examplesOf(path, { name, reading: { header, encoding, sheet }, columns, access });
    sets.push(weightedSet(set, weight));
  }
  return { set: joinSets(sets) };
}

interface FileReading {
  readonly name: string;
  readonly reading: ReadOptions;
  readonly columns: ColumnChoice;
  readonly access: ReadAccess;
  /** told the rows as the file has them, part by part */
  readonly onRows?: ((rows: Table["rows"]) => void) | undefined;
}

async function examplesOf(path: string, { name, reading, columns, access, onRows }: FileReading): Promise<ExampleSet> {
  const info = await stat(path).catch((error: unknown) => {
    throw explainFileError(error, "read", path);
  });
  const { size } = info;
  if (info.isDirectory()) {
    const table = await classFolder(path, { name, reading, access });
    onRows?.(table.rows);
    return readRows(table, columns);
  }
  const stream = size < largeFile ? undefined : streamTable(name, await beginningOf(path), reading);
  if (!stream) {
    if (size >= largeFile) access.onProgress?.({ type: "reading", file: name, done: 0, of: size });
    const bytes = await bytesOf(path);
    const table = await readTable(name, bytes, reading);
    onRows?.(table.rows);
    return readRows(table, columns);
  }
  const onBytes = (done: number) => access.onProgress?.({ type: "reading", file: name, done, of: size });
  return readParts(
    told(
      stream(() => filePieces(path, { signal: access.signal, onBytes })),
      onRows,
    ),
    columns,
  );
}

/** Files of a text each, between two reports. */
const filesATime = 1_000;

/** The texts of a folder that has a folder for each class. */
async function classFolder(
  folder: string,
  { name, reading, access }: Pick<FileReading, "name" | "reading" | "access">,
): Promise<Table> {
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
