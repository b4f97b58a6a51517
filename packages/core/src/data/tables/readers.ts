import { InputError } from "../../errors.ts";
import { readConll } from "./conll.ts";
import { type DelimitedOptions, readCsv, readTsv } from "./delimited.ts";
import { readJson, readJsonLines } from "./json-rows.ts";
import { readParquet } from "./parquet.ts";
import { readPlainLines } from "./plain-lines.ts";
import type { Table } from "./table.ts";

type Reader = (name: string, bytes: Uint8Array, options: DelimitedOptions) => Table | Promise<Table>;

const readers: Readonly<Record<string, Reader>> = {
  csv: readCsv,
  tsv: readTsv,
  jsonl: readJsonLines,
  ndjson: readJsonLines,
  json: readJson,
  parquet: readParquet,
  conll: readConll,
};

/** Files that are data only where they are named themselves: beside others, `.txt` files are notes. */
const loneReaders: Readonly<Record<string, Reader>> = { txt: readPlainLines };

/** The endings of the files that are data in a folder. */
export const tableExtensions: readonly string[] = Object.keys(readers);

/** The ending of a file's name, in lower case, without the dot. */
export function extensionOf(name: string): string {
  return /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
}

/**
 * The rows of a data file; its ending says how it is read.
 * @throws InputError naming file and line: an ending that is not known, an empty file, rows that are not well formed.
 */
export async function readTable(name: string, bytes: Uint8Array, options: DelimitedOptions = {}): Promise<Table> {
  const all = { ...readers, ...loneReaders };
  const read = all[extensionOf(name)];
  if (!read) {
    const endings = Object.keys(all).map((ending) => `.${ending}`);
    throw new InputError(`can't read ${name}; data files end in ${endings.join(", ")}`);
  }
  if (bytes.length === 0) throw new InputError(`${name} is empty`);
  return read(name, bytes, options);
}
