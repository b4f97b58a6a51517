import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type ColumnChoice, type ExampleSet, findSplits, InputError, joinSets, readRows, readTable } from "@petl/core";
import { directory } from "./disk/files.ts";
import { explainFileError, systemCode } from "./machine-error.ts";

/** How the rows of a data file are read. */
export interface DataOptions extends ColumnChoice {
  /** false: the file's first line is a row, and columns are called column1, column2, … */
  readonly header?: boolean | undefined;
}

export type Split = "train" | "validation" | "test";

/** A data file or folder that was found; nothing of it has been read yet. */
export interface DataSource {
  /** paths of the files of each split; a lone file is the split that it was asked as */
  readonly files: Readonly<Partial<Record<Split, readonly string[]>>>;
}

/** Finds the files of DATA: of a folder those of each split, of a file that one as `lone`. */
export async function findData(path: string, lone: Split): Promise<DataSource> {
  const info = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") throw new InputError(`there is no data file or folder "${path}"`);
    throw explainFileError(error, "read", path);
  });
  if (!info.isDirectory()) return { files: { [lone]: [path] } };
  const splits = findSplits(basename(path), await directory(path).files());
  const within = (names: readonly string[] | undefined) => names?.map((name) => join(path, name));
  const { train, validation, test } = splits;
  return {
    files: {
      ...(train && { train: within(train) ?? [] }),
      ...(validation && { validation: within(validation) ?? [] }),
      ...(test && { test: within(test) ?? [] }),
    },
  };
}

/** The rows of a file that is asked for answers, `-` for JSONL from stdin, and the `id` of each where they have one. */
export async function readInput(
  path: string,
  columns: ColumnChoice = {},
): Promise<{ readonly set: ExampleSet; readonly ids: readonly unknown[] }> {
  const [name, bytes] = path === "-" ? ["stdin.jsonl", await stdinBytes()] : [path, await bytesOf(path)];
  const table = await readTable(name, bytes);
  return { set: joinSets([readRows(table, columns)]), ids: table.rows.map((row) => row.id) };
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

/** The examples of some files, one behind the other, and the SHA-256 of their bytes. */
export async function readData(
  paths: readonly string[],
  options: DataOptions,
): Promise<{ readonly set: ExampleSet; readonly sha256: string }> {
  const { header, ...columns } = options;
  const hash = createHash("sha256");
  const sets: ExampleSet[] = [];
  for (const path of paths) {
    const bytes = await bytesOf(path);
    hash.update(bytes);
    const name = join(basename(dirname(path)), basename(path));
    const table = await readTable(name, bytes, header === undefined ? {} : { header });
    sets.push(readRows(table, columns));
  }
  return { set: joinSets(sets), sha256: hash.digest("hex") };
}
