import { InputError } from "../../errors.ts";
import { bareRecords, headerNames, parted, quotedPiece, quoteReading, recordOf, unevenRecords } from "./delimited.ts";
import type { FileRanges } from "./file-ranges.ts";
import { arrayParts, jsonLayout, lineParts } from "./json-rows.ts";
import type { ReadOptions } from "./read-options.ts";
import { extensionOf } from "./readers.ts";
import { refuseRows, type Table, table } from "./table.ts";
import { textDecoder } from "./text.ts";
import { type LinePiece, linePieces, mostRowLetters, textPieces } from "./text-pieces.ts";

/** A large file's rows, part by part: each is a table of its own, whose rows know their lines in the file. */
export type TableParts = AsyncIterable<Table>;

/** Reads a file's bytes, unpacked where they are packed with gzip, from its beginning each time that they are asked for. */
export type StreamReader = (bytes: () => AsyncIterable<Uint8Array>) => TableParts;

/**
 * The rows of a large file as its pieces come, so that it is never whole in memory; undefined where only the whole file says
 * how it is meant: other kinds than CSV, TSV, JSON Lines and JSON arrays, a CSV with tabs, lines that no line feed ends.
 * @throws InputError as `readTable`, while the parts are read
 */
export function streamTable(name: string, start: Uint8Array, options: ReadOptions): StreamReader | undefined {
  const reader = textReader(name, start, options);
  return reader && ((bytes) => reader(() => textPieces(name, bytes(), start, options.encoding)));
}

/** Reads a file's text, from its beginning each time that it is asked for. */
type TextReader = (pieces: () => AsyncIterable<string>) => TableParts;

function textReader(name: string, start: Uint8Array, options: ReadOptions): TextReader | undefined {
  const ending = extensionOf(name);
  if (!["csv", "tsv", "jsonl", "ndjson", "json"].includes(ending)) return undefined;
  const begin = textDecoder(name, start, options.encoding)(start, false);
  const hasLines = begin.includes("\n");
  if (ending === "tsv" || ending === "csv") {
    if (options.header === false || !hasLines) return undefined;
    if (ending === "tsv") return (pieces) => tabbedParts(name, () => linePieces(name, pieces()));
    const isTabbed = parted(begin).delimiter === "\t";
    return isTabbed ? undefined : (pieces) => delimitedParts(name, linePieces(name, pieces()));
  }
  const layout = jsonLayout(begin) ?? (ending === "json" ? undefined : "lines");
  if (layout === "array") return (pieces) => arrayParts(name, pieces());
  const endsOtherwise = !hasLines && begin.includes("\r");
  return layout === undefined || endsOtherwise ? undefined : (pieces) => lineParts(name, linePieces(name, pieces()));
}

async function* delimitedParts(name: string, pieces: AsyncIterable<LinePiece>, said?: string): AsyncGenerator<Table> {
  let columns: readonly string[] | undefined;
  let reading: Pick<ReturnType<typeof parted>, "delimiter" | "lineEnd"> = { delimiter: said ?? ",", lineEnd: "\n" };
  let [line, rest, given] = [1, "", 0];
  for await (const { text: next, isLast } of pieces) {
    let text = rest + next;
    if (said === undefined && columns === undefined && rest === "")
      ({ text, firstLine: line, ...reading } = parted(text));
    const piece = quotedPiece(name, text, { ...reading, firstLine: line, isLast });
    [rest, line] = [text.slice(piece.end), piece.line];
    if (rest.length > mostRowLetters)
      throw new InputError(`${name} line ${line}: a quote opens here and never closes, or far behind`);
    const [first] = piece.records;
    if (!first) continue;
    const body = columns ? piece.records : piece.records.slice(1);
    columns ??= headerNames(name, first);
    refuseRows(unevenRecords(name, columns, body));
    given += body.length;
    if (body.length > 0)
      yield table(
        name,
        columns,
        body.map(({ cells }) => recordOf(columns ?? [], cells)),
        Uint32Array.from(body, (record) => record.line),
      );
  }
  if (given === 0) throw new InputError(columns ? `${name} has a header and no rows` : `${name} is empty`);
}

/** TSV: a file with quotes is read once before, since only the whole of it says how they are meant. */
async function* tabbedParts(name: string, pieces: () => AsyncIterable<LinePiece>): AsyncGenerator<Table> {
  const quotes = quoteReading();
  for await (const { text, firstLine } of pieces()) quotes.see([...bareRecords(text, firstLine)]);
  const isQuoted = quotes.areEven() ? quotes.lookQuoted() : quotes.some() && (await canBeQuoted(name, pieces()));
  if (isQuoted) return yield* delimitedParts(name, pieces(), "\t");
  let columns: readonly string[] | undefined;
  let given = 0;
  for await (const { text, firstLine } of pieces()) {
    const [first, ...others] = bareRecords(text, firstLine);
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

async function canBeQuoted(name: string, pieces: AsyncIterable<LinePiece>): Promise<boolean> {
  try {
    for await (const _ of delimitedParts(name, pieces, "\t"));
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** Awaited between two steps of long work, with what is done of all. */
type PartPause = (done: number, of: number) => Promise<void>;

/** The rows of a large file part by part, each read where it lies: Parquet; undefined for other files. */
export const rangedParts = (name: string): ((file: FileRanges, pause: PartPause) => TableParts) | undefined =>
  !/\.gz$/i.test(name) && extensionOf(name) === "parquet"
    ? async function* (file, pause) {
        yield* (await import("./parquet.ts")).parquetParts(name, file, pause);
      }
    : undefined;
