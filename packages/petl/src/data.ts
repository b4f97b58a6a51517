import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type ColumnChoice,
  type ExampleSet,
  findSplits,
  InputError,
  joinSets,
  type ReadOptions,
  readRows,
  readTable,
  weightedSet,
} from "@petl/core";
import { directory } from "./disk/files.ts";
import { explainFileError, systemCode } from "./machine-error.ts";

/** How the rows of a data file are read. */
export interface DataOptions extends ColumnChoice, ReadOptions {}

export type Split = "train" | "validation" | "test";

/** A data file or folder that was found; nothing of it has been read yet. */
export interface DataSource {
  /** paths of the files of each split; a lone file is the split that it was asked as */
  readonly files: Readonly<Partial<Record<Split, readonly string[]>>>;
}

/**
 * Finds the files of DATA: of a folder those of each split, of a file that one as `lone`. A weight behind the name,
 * `reviews.csv=2`, stays behind the names of the files to train on.
 */
export async function findData(given: string, lone: Split): Promise<DataSource> {
  const { path, weight } = await weighted(given);
  const info = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") throw new InputError(`there is no data file or folder "${path}"`);
    throw explainFileError(error, "read", path);
  });
  const behind = weight === 1 ? "" : `=${weight}`;
  if (!info.isDirectory()) return { files: { [lone]: [`${path}${behind}`] } };
  const splits = findSplits(basename(path), await directory(path).files());
  const within = (names: readonly string[] | undefined, end = "") => names?.map((name) => `${join(path, name)}${end}`);
  const { train, validation, test } = splits;
  return {
    files: {
      ...(train && { train: within(train, behind) ?? [] }),
      ...(validation && { validation: within(validation) ?? [] }),
      ...(test && { test: within(test) ?? [] }),
    },
  };
}

/** A path and the weight behind it; where there is a file of the whole name, it has none. */
async function weighted(given: string): Promise<{ readonly path: string; readonly weight: number }> {
  const [, path, number] = /^(.+)=(\d+(?:\.\d+)?|\.\d+)$/.exec(given) ?? [];
  if (path === undefined || (await exists(given)) || !(await exists(path))) return { path: given, weight: 1 };
  const weight = Number(number);
  if (weight > 0 && weight <= 1000) return { path, weight };
  throw new InputError(`the weight of ${path} is ${number}; weights are above 0, up to 1000`);
}

const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The rows of a file that is asked for answers, `-` for JSONL from stdin, and the `id` of each where they have one. */
export async function readInput(
  path: string,
  options: DataOptions = {},
): Promise<{ readonly set: ExampleSet; readonly ids: readonly unknown[] }> {
  const { header, encoding, sheet, ...columns } = options;
  const [name, bytes] = path === "-" ? ["stdin.jsonl", await stdinBytes()] : [path, await bytesOf(path)];
  const table = await readTable(name, bytes, { header, encoding, sheet });
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
  const { header, encoding, sheet, ...columns } = options;
  const hash = createHash("sha256");
  const sets: ExampleSet[] = [];
  for (const given of paths) {
    const { path, weight } = await weighted(given);
    const bytes = await bytesOf(path);
    hash.update(bytes);
    const name = join(basename(dirname(path)), basename(path));
    const table = await readTable(name, bytes, { header, encoding, sheet });
    sets.push(weightedSet(readRows(table, columns), weight));
  }
  return { set: joinSets(sets), sha256: hash.digest("hex") };
}
