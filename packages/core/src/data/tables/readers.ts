import { InputError } from "../../errors.ts";
import { readConll } from "./conll.ts";
import { readCsv, readTsv } from "./delimited.ts";
import { unzipped } from "./gzip.ts";
import { inSteps, type Pause } from "./in-steps.ts";
import { readJsonLines, readJsonRows } from "./json-rows.ts";
import { readPlainLines } from "./plain-lines.ts";
import type { ReadOptions } from "./read-options.ts";
import type { Table } from "./table.ts";

type Reader = (
  name: string,
  bytes: Uint8Array,
  options: ReadOptions,
  pause: Pause | undefined,
) => Table | Promise<Table>;

const readers: Readonly<Record<string, Reader>> = {
  csv: readCsv,
  tsv: readTsv,
  jsonl: readJsonLines,
  ndjson: readJsonLines,
  json: readJsonRows,
  parquet: async (name, bytes) => (await import("./parquet.ts")).readParquet(name, bytes), // half of all that reads tables, seldom needed
  conll: readConll,
  xlsx: async (name, bytes, options, pause) =>
    inSteps((await import("./workbook.ts")).workbookSteps(name, bytes, options), pause),
  txt: readPlainLines,
};

/** The endings of the files that `readTable` reads, `.gz` behind them left out. */
export const tableExtensions: readonly string[] = Object.keys(readers);

/** The ending of a file's name, in lower case, without the dot; of a file that is packed with gzip the one in front. */
export function extensionOf(name: string): string {
  return /\.([^./\\]+)$/.exec(name.replace(/\.gz$/i, ""))?.[1]?.toLowerCase() ?? "";
}

/**
 * The rows of a data file; its ending says how it is read, `.gz` behind it that it is packed.
 * @param pause awaited now and then where a reader takes long, with the share of the file that is done; in it a host hears what
 *   it is told
 * @throws InputError naming file and line: an ending that is not known, an empty file, rows that are not well formed.
 */
export async function readTable(
  name: string,
  bytes: Uint8Array,
  options: ReadOptions = {},
  pause?: Pause,
): Promise<Table> {
  const read = readers[extensionOf(name)];
  if (!read) {
    const saved = /\.(?:xls|xlsb|ods|numbers|docx?|pdf)$/i.test(name) ? "; save it as .xlsx or .csv" : "";
    throw new InputError(
      `can't read ${name}; data files end in ${tableExtensions.map((e) => `.${e}`).join(", ")}, or in these and .gz${saved}`,
    );
  }
  const whole = /\.gz$/i.test(name) ? unzipped(name, bytes) : bytes;
  if (whole.length === 0) throw new InputError(`${name} is empty`);
  return read(name, whole, options, pause);
}
