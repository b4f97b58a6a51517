import { InputError } from "../../errors.ts";
import type { ReadOptions } from "./read-options.ts";
import { refuseRows, type Table, table } from "./table.ts";
import { ascending, decodeText, linesOf } from "./text.ts";

/** Cells of one record and the line on which it begins. */
export interface DelimitedRecord {
  readonly cells: string[];
  readonly line: number;
}

/**
 * CSV with RFC 4180's quotes. The delimiter is what a first line `sep=;` says, as Excel writes it; else of comma, tab,
 * semicolon and bar the one that the first line has most of, outside of quotes.
 * @throws InputError: empty, a quote that never closes, rows of another width than the header, a name used twice.
 */
export function readCsv(name: string, bytes: Uint8Array, options: ReadOptions = {}): Table {
  const { text, ...parts } = parted(decodeText(name, bytes, options.encoding));
  if (parts.delimiter === "\t") return readTabs(name, text, options, parts.firstLine);
  return toTable(name, quotedRecords(name, text, { ...parts, even: options.header !== false }), options);
}

/** What parts the cells of a CSV and ends its lines, as its first line says or shows, and the text behind what says it. */
export function parted(whole: string): {
  readonly text: string;
  readonly delimiter: string;
  readonly lineEnd: LineEnd;
  readonly firstLine: number;
} {
  const said = /^"?sep=([,;\t|])"?(?:\r?\n|\r)/i.exec(whole);
  const text = said ? whole.slice(said[0].length) : whole;
  const end = firstLineEnd(text);
  const delimiter = said?.[1] ?? mostFrequent(text.slice(0, end));
  const lineEnd = text[end] === "\r" && text[end + 1] !== "\n" && end + 1 < text.length ? "\r" : "\n";
  return { text, delimiter, lineEnd, firstLine: said ? 2 : 1 };
}

/** The letter that ends lines: a carriage return alone where old programs of the Mac write them, with feeds in quotes alone. */
type LineEnd = "\n" | "\r";

/** Where the first line ends: outside of quotes, unless one never closes. */
function firstLineEnd(text: string): number {
  let isOpen = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"') isOpen = !isOpen;
    else if (!isOpen && (letter === "\n" || letter === "\r")) return at;
  }
  return isOpen ? text.search(/[\r\n]|$/) : text.length;
}

function mostFrequent(head: string): string {
  const bare = head.replaceAll(/"[^"]*"/g, "");
  const counts = [",", "\t", ";", "|"].map((one) => [one, bare.split(one).length] as const);
  return counts.reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

/**
 * TSV. GLUE's files know no quotes: a `"` is a letter and a line is a row. Spreadsheets and pandas quote as CSV does.
 * A file is read as quoted where the bare reading gives rows of unequal width and the quoted one doesn't, or where
 * its quotes can only be CSV's: every cell that has one is quoted whole, and some hold a doubled one or name a column.
 * @throws InputError as `readCsv`.
 */
export function readTsv(name: string, bytes: Uint8Array, options: ReadOptions = {}): Table {
  return readTabs(name, decodeText(name, bytes, options.encoding), options, 1);
}

function readTabs(name: string, text: string, options: ReadOptions, firstLine: number): Table {
  const bare = [...bareRecords(text, firstLine)];
  const quotes = quoteReading();
  quotes.see(bare);
  const quoted = quotes.areEven() ? quotes.lookQuoted() : quotes.some() && canBeQuoted(name, text);
  return toTable(name, quoted ? quotedRecords(name, text, { delimiter: "\t", firstLine }) : bare, options);
}

export function* bareRecords(text: string, firstLine: number): Iterable<DelimitedRecord> {
  for (const [content, line] of linesOf(text)) yield { cells: content.split("\t"), line: line + firstLine - 1 };
}

function isEven(records: readonly DelimitedRecord[]): boolean {
  return records.every(({ cells }) => cells.length === records[0]?.cells.length);
}

/** What records that were read bare, part after part, say of how their quotes are meant. */
export interface QuoteReading {
  see(records: readonly DelimitedRecord[]): void;
  some(): boolean;
  areEven(): boolean;
  /** whether they can only be CSV's: every cell that has one is quoted whole, and some hold a doubled one or name a column */
  lookQuoted(): boolean;
}

export function quoteReading(): QuoteReading {
  let [width, uneven, some, whole, sure]: [number | undefined, ...boolean[]] = [undefined, false, false, true, false];
  const seeCell = (cell: string, isName: boolean) => {
    if (!cell.includes('"')) return;
    some = true;
    whole = whole && /^"(?:[^"]|"")*"$/.test(cell);
    sure = sure || isName || cell.slice(1, -1).includes('""');
  };
  return {
    see(records) {
      for (const { cells } of records) {
        const isHeader = width === undefined;
        width ??= cells.length;
        uneven = uneven || cells.length !== width;
        for (const cell of cells) seeCell(cell, isHeader);
      }
    },
    some: () => some === true,
    areEven: () => !uneven,
    lookQuoted: () => some === true && whole === true && sure === true,
  };
}

function canBeQuoted(name: string, text: string): boolean {
  try {
    return isEven(quotedRecords(name, text, { delimiter: "\t", firstLine: 1 }));
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** A table in which so many records are of another width than the first one is not read to its end. */
const mostUneven = 10_000;

/** Records of a piece of text, and where the next one begins. */
export interface QuotedPiece {
  readonly records: readonly DelimitedRecord[];
  /** the place behind the last record, and its line */
  readonly end: number;
  readonly line: number;
}

const quotedRecords = (
  name: string,
  text: string,
  reading: Omit<QuotedReading, "isLast">,
): readonly DelimitedRecord[] => quotedPiece(name, text, { ...reading, isLast: true }).records;

/** How a piece of a text with quotes is read. */
interface QuotedReading {
  readonly delimiter: string;
  /** a line feed, with a return before it or not, where left out */
  readonly lineEnd?: LineEnd;
  readonly firstLine: number;
  readonly isLast: boolean;
  /** whether to end where very many records are of another width than the first one */
  readonly even?: boolean;
}

/**
 * Records of RFC 4180: a cell that begins with a quote ends with one, holds anything, and writes a quote twice.
 * A quote inside an unquoted cell is a letter. Blank lines are left out. Of a text that goes on behind this piece, which
 * then ends with a line, a record whose quote is still open is left for the next one.
 */
export function quotedPiece(
  name: string,
  text: string,
  { delimiter, lineEnd = "\n", firstLine, isLast, even = false }: QuotedReading,
): QuotedPiece {
  const records: DelimitedRecord[] = [];
  const [delimiterFrom, endFrom] = [ascending(text, delimiter), ascending(text, lineEnd)];
  const isLineEnd = (place: number) =>
    text[place] === lineEnd || (text[place] === "\r" && (text[place + 1] === lineEnd || place + 1 === text.length));
  /** The end of a cell without quotes that `stop` ends: in front of a return that is part of the line's end. */
  const bareEnd = (from: number, stop: number) =>
    stop > from && text[stop - 1] === "\r" && isLineEnd(stop - 1) ? stop - 1 : stop;
  let cells: string[] = [];
  let [line, began, start, uneven] = [firstLine, firstLine, 0, 0];
  let at = 0;
  while (at < text.length) {
    const quoted = text[at] === '"';
    const end = quoted ? closingQuote(text, at + 1) : bareEnd(at, Math.min(delimiterFrom(at), endFrom(at)));
    if (end < 0 && !isLast) return { records, end: start, line: began };
    if (end < 0) throw new InputError(`${name} line ${line}: a quote opens here and never closes`);
    cells.push(quoted ? unquoted(text, at + 1, end) : text.slice(at, end));
    if (quoted) for (let inside = endFrom(at); inside < end; inside = endFrom(inside + 1)) line += 1;
    at = quoted ? end + 1 : end;
    if (text[at] === delimiter) {
      at += 1;
      if (at < text.length && !isLineEnd(at)) continue;
      cells.push("");
    } else if (at < text.length && !isLineEnd(at)) {
      const opened = line === began ? "" : ` of the cell that begins on line ${began}`;
      throw new InputError(
        `${name} line ${line}: ${quoteAround(text, at)} follows a closing quote${opened}; a quote inside of a cell is written twice`,
      );
    }
    if (cells.length > 1 || quoted || cells[0]!.trim() !== "") records.push({ cells, line: began });
    if (even && isUneven(cells, records[0]?.cells.length ?? 0) && ++uneven > mostUneven) break;
    cells = [];
    at += text[at] === lineEnd ? 1 : 2;
    line += 1;
    [began, start] = [line, at];
  }
  return { records, end: text.length, line };
}

function unquoted(text: string, from: number, to: number): string {
  const inside = text.slice(from, to);
  return inside.includes('"') ? inside.replaceAll('""', '"') : inside;
}

function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function quoteAround(text: string, at: number): string {
  return JSON.stringify(text.slice(at, at + 12).split(/[\r\n]/)[0]);
}

function toTable(name: string, records: readonly DelimitedRecord[], { header = true }: ReadOptions): Table {
  const first = records[0];
  if (!first) throw new InputError(`${name} is empty`);
  const width = records.reduce((most, { cells }) => Math.max(most, cells.length), 0);
  const columns = header ? headerNames(name, first) : numberedNames(width);
  const body = header ? records.slice(1) : records;
  if (body.length === 0) throw new InputError(`${name} has a header and no rows`);
  if (header) refuseRows(unevenRecords(name, columns, body));
  const rows = body.map(({ cells }) => recordOf(columns, cells));
  return table(
    name,
    columns,
    rows,
    Uint32Array.from(body, ({ line }) => line),
  );
}

const numberedNames = (width: number) => Array.from({ length: width }, (_, i) => `column${i + 1}`);

/** Whether a record is of another width than its table; what is empty beyond it spreadsheets write where a cell was once used. */
const isUneven = (cells: readonly string[], width: number) =>
  cells.length !== width && (cells.length < width || cells.slice(width).some((cell) => cell.trim() !== ""));

/** Records of another width than the header's. */
export function* unevenRecords(
  name: string,
  columns: readonly string[],
  body: readonly DelimitedRecord[],
): Iterable<string> {
  for (const { cells, line } of body) {
    if (!isUneven(cells, columns.length)) continue;
    const more =
      cells.length > columns.length && columns.length > 1 ? "; a cell that holds what parts cells needs quotes" : "";
    yield `${name} line ${line}: ${cells.length} columns; the first line has ${columns.length}${more}`;
  }
}

/** A row by the names of its columns; a cell that it lacks is empty. */
export function recordOf(columns: readonly string[], cells: readonly string[]): Readonly<Record<string, string>> {
  const record: Record<string, string> = {};
  for (let at = 0; at < columns.length; at++) record[columns[at] ?? ""] = cells[at] ?? "";
  return record;
}

/** Names of the first line, trimmed; one that is left empty (pandas' index) is called after its place. */
export function headerNames(name: string, { cells, line }: DelimitedRecord): string[] {
  const names = cells.map((cell, i) => cell.trim() || `column${i + 1}`);
  if (names.includes("__proto__")) throw new InputError(`${name} line ${line}: no column can be called "__proto__"`);
  const known = new Set<string>();
  const twice = new Set(names.filter((one) => known.size === known.add(one).size));
  if (twice.size > 0) {
    const shown = [...twice].slice(0, 10).map(quote).join(", ");
    throw new InputError(`${name} line ${line}: the header names ${shown} twice`);
  }
  return names;
}

const quote = (text: string) => JSON.stringify(text);
