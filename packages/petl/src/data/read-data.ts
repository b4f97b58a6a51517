import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type ColumnChoice,
  type ExampleSet,
  joinSets,
  type ReadOptions,
  readRows,
  readTable,
  weightedSet,
} from "@petl/core";
import { explainFileError } from "../machine-error.ts";
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
): Promise<{ readonly set: ExampleSet; readonly ids: readonly unknown[] }> {
  const { header, encoding, sheet, ...columns } = options;
  const [name, bytes] = path === "-" ? ["stdin.jsonl", await stdinBytes()] : [path, await bytesOf(path)];
  const table = await readTable(name, bytes, { header, encoding, sheet });
  return { set: readRows(table, columns), ids: table.rows.map((row) => row.id) };
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
  files: readonly DataFile[],
  options: DataOptions,
): Promise<{ readonly set: ExampleSet; readonly sha256: string }> {
  const { header, encoding, sheet, ...columns } = options;
  const hash = createHash("sha256");
  const sets: ExampleSet[] = [];
  for (const { path, weight } of files) {
    const bytes = await bytesOf(path);
    hash.update(bytes);
    const name = join(basename(dirname(path)), basename(path));
    const table = await readTable(name, bytes, { header, encoding, sheet });
    sets.push(weightedSet(readRows(table, columns), weight));
  }
  return { set: joinSets(sets), sha256: hash.digest("hex") };
}
