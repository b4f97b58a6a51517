import { InputError } from "../../errors.ts";
import {
  bareRecords,
  type DelimitedRecord,
  headerNames,
  parted,
  quotedPiece,
  quoteReading,
  recordOf,
  unevenRecords,
} from "./delimited.ts";
import type { FileRanges } from "./file-ranges.ts";
import { arrayParts, rowsOfLines } from "./json-rows.ts";
import type { ReadOptions } from "./read-options.ts";
import { extensionOf } from "./readers.ts";
import { refuseRows, type Table, table } from "./table.ts";
import { decodeText, linesOf } from "./text.ts";

/** A part of a file's bytes, unpacked where it is packed with gzip: whole lines, but for the last one. */
export interface FilePiece {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** A large file's rows, part by part: each is a table of its own, whose rows know their lines in the file. */
export type TableParts = AsyncIterable<Table>;

const streamed = ["csv", "tsv", "jsonl", "ndjson"];

/**
 * The rows of a large file as its pieces come, so that it is never whole in memory; undefined where only the whole file says
 * how it is meant: other kinds than CSV, TSV and JSON Lines, a CSV with tabs, arrays, UTF-16.
 * @throws InputError as `readTable`, while the parts are read
 */
export function streamTable(name: string, start: Uint8Array, options: ReadOptions): StreamReader | undefined {
  if (!streamed.includes(extensionOf(name))) return undefined;
  const [first, second] = start;
  const wide =
    /^utf-?16/i.test(options.encoding ?? "") ||
    (first === 0xff && second === 0xfe) ||
    (first === 0xfe && second === 0xff);
  if (wide || options.header === false || !start.includes(10)) return undefined;
  const begin = decodeText(name, start.subarray(0, start.lastIndexOf(10) + 1), options.encoding);
  switch (extensionOf(name)) {
    case "csv":
      return parted(begin).delimiter === "\t" ? undefined : (pieces) => delimitedParts(name, pieces(), options);
    case "tsv":
      return (pieces) => tabbedParts(name, pieces, options);
    case "jsonl":
    case "ndjson":
      return /^\s*\[/.test(begin) ? undefined : (pieces) => jsonParts(name, pieces(), options);
    default:
      return undefined;
  }
}

/** Longer records are none: a quote is open, and would be looked for anew in every piece. */
const longestRecord = 32e6;

/** Reads a file's pieces, from its beginning each time that they are asked for. */
export type StreamReader = (pieces: () => AsyncIterable<FilePiece>) => TableParts;

async function* delimitedParts(
  name: string,
  pieces: AsyncIterable<FilePiece>,
  options: ReadOptions,
  said?: string,
): AsyncGenerator<Table> {
  let columns: readonly string[] | undefined;
  let [delimiter, line, rest, given] = [said ?? ",", 1, "", 0];
  for await (const { bytes, isLast } of pieces) {
    let text = rest + decodeText(name, bytes, options.encoding, line);
    if (said === undefined && columns === undefined && rest === "")
      ({ text, delimiter, firstLine: line } = parted(text));
    const piece = quotedPiece(name, text, { delimiter, firstLine: line, isLast });
    [rest, line] = [text.slice(piece.end), piece.line];
    if (rest.length > longestRecord)
      throw new InputError(`${name} line ${line}: a quote opens here and never closes, or far behind`);
    const [first] = piece.records;
    if (!first) continue;
    const body = columns ? piece.records : piece.records.slice(1);
    columns ??= headerNames(name, first);
    refuseRows(unevenRecords(name, columns, body));
    given += body.length;
    if (body.length > 0)
      yield partOf(
        name,
        columns,
        body.map(({ cells }) => recordOf(columns ?? [], cells)),
        Uint32Array.from(body, (record) => record.line),
      );
  }
  if (given === 0) throw new InputError(columns ? `${name} has a header and no rows` : `${name} is empty`);
}

/** TSV: a file with quotes is read once before, since only the whole of it says how they are meant. */
async function* tabbedParts(
  name: string,
  pieces: () => AsyncIterable<FilePiece>,
  options: ReadOptions,
): AsyncGenerator<Table> {
  const quotes = quoteReading();
  for await (const records of tabbedRecords(name, pieces(), options)) quotes.see(records);
  const isQuoted = quotes.areEven()
    ? quotes.lookQuoted()
    : quotes.some() && (await canBeQuoted(name, pieces(), options));
  if (isQuoted) return yield* delimitedParts(name, pieces(), options, "\t");
  let columns: readonly string[] | undefined;
  let given = 0;
  for await (const [first, ...others] of tabbedRecords(name, pieces(), options)) {
    if (!first) continue;
    const body = columns ? [first, ...others] : others;
    const names = columns ?? headerNames(name, first);
    columns = names;
    refuseRows(unevenRecords(name, names, body));
    given += body.length;
    const rows = body.map(({ cells }) => recordOf(names, cells));
    const lines = Uint32Array.from(body, (record) => record.line);
    if (body.length > 0) yield table(name, names, rows, lines);
  }
  if (given === 0) throw new InputError(columns ? `${name} has a header and no rows` : `${name} is empty`);
}

async function* tabbedRecords(
  name: string,
  pieces: AsyncIterable<FilePiece>,
  { encoding }: ReadOptions,
): AsyncGenerator<readonly DelimitedRecord[]> {
  let before = 0;
  for await (const { bytes } of pieces) {
    const text = decodeText(name, bytes, encoding, before + 1);
    yield [...bareRecords(text, before + 1)];
    before += text.split("\n").length - 1;
  }
}

async function canBeQuoted(name: string, pieces: AsyncIterable<FilePiece>, options: ReadOptions): Promise<boolean> {
  try {
    for await (const _ of delimitedParts(name, pieces, options, "\t"));
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

async function* jsonParts(
  name: string,
  pieces: AsyncIterable<FilePiece>,
  { encoding }: ReadOptions,
): AsyncGenerator<Table> {
  let [before, given] = [0, 0];
  for await (const { bytes } of pieces) {
    const text = decodeText(name, bytes, encoding, before + 1);
    const { rows, lines } = rowsOfLines(name, numberedFrom(before, linesOf(text)));
    before += text.split("\n").length - 1;
    given += rows.length;
    const columns = new Set(rows.flatMap((row) => Object.keys(row)));
    if (rows.length > 0) yield partOf(name, [...columns], rows, Uint32Array.from(lines));
  }
  if (given === 0) throw new InputError(`${name} has no rows`);
}

/** Lines whose numbers go on behind those before. */
function* numberedFrom(before: number, lines: Iterable<readonly [string, number]>) {
  for (const [text, line] of lines) yield [text, line + before] as const;
}

const partOf = (name: string, columns: readonly string[], rows: Table["rows"], lines: Uint32Array): Table =>
  table(name, columns, rows, lines);

/** Awaited between two steps of long work, with what is done of all. */
type PartPause = (done: number, of: number) => Promise<void>;

/** The rows of a large file part by part, each read where it lies: Parquet; undefined for other files. */
export const rangedParts = (name: string): ((file: FileRanges, pause: PartPause) => TableParts) | undefined =>
  !/\.gz$/i.test(name) && extensionOf(name) === "parquet"
    ? async function* (file, pause) {
        yield* (await import("./parquet.ts")).parquetParts(name, file, pause);
      }
    : undefined;

/**
 * The rows of a large file part by part of which all bytes are needed, JSON arrays; undefined for other files.
 * @param start its beginning
 */
export function wholeParts(
  name: string,
  start: Uint8Array,
  options: ReadOptions,
): ((bytes: Uint8Array, pause: PartPause) => TableParts) | undefined {
  if (/\.gz$/i.test(name)) return undefined;
  switch (extensionOf(name)) {
    case "json":
    case "jsonl":
    case "ndjson":
      return isArray(start) ? (bytes, pause) => arrayParts(name, bytes, options, pause) : undefined;
    default:
      return undefined;
  }
}

/** Whether the first letter opens an array, behind a byte-order mark of UTF-8 and blanks. */
const isArray = (start: Uint8Array): boolean => {
  const first = start.find((byte, at) => byte > 32 && !(at < 3 && byte >= 0xbb));
  return first === 0x5b;
};
