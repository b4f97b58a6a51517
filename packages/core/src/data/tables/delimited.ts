import { InputError } from "../../errors.ts";
import { refuseRows, type Table, table } from "./table.ts";
import { decodeText, linesOf } from "./text.ts";

/** How a delimited file's first line is meant. */
export interface DelimitedOptions {
  /**
   * false: there is no line of names. The columns are called `column1`, `column2` …, as many as the widest row has
   * (STS-B's rows name a source or not), and cells that a row lacks at its end are empty. Default true.
   */
  readonly header?: boolean;
}

/** Cells of one record and the line on which it begins. */
interface DelimitedRecord {
  readonly cells: string[];
  readonly line: number;
}

/**
 * CSV with RFC 4180's quotes; the delimiter is a comma, or, where the first line has none, a tab or a semicolon.
 * @throws InputError: empty, a quote that never closes, rows of another width than the header, a name used twice.
 */
export function readCsv(name: string, bytes: Uint8Array, options: DelimitedOptions = {}): Table {
  const text = decodeText(name, bytes);
  const head = text.slice(0, text.search(/[\r\n]|$/));
  const delimiter = [",", "\t", ";"].find((one) => head.includes(one)) ?? ",";
  if (delimiter === "\t") return readTabs(name, text, options);
  return toTable(name, quotedRecords(name, text, delimiter), options);
}

/**
 * TSV. GLUE's files know no quotes: a `"` is a letter and a line is a row. Spreadsheets and pandas quote as CSV does.
 * A file is read as quoted where the bare reading gives rows of unequal width and the quoted one doesn't, or where
 * its quotes can only be CSV's: every cell that has one is quoted whole, and some hold a doubled one or name a column.
 * @throws InputError as `readCsv`.
 */
export function readTsv(name: string, bytes: Uint8Array, options: DelimitedOptions = {}): Table {
  return readTabs(name, decodeText(name, bytes), options);
}

function readTabs(name: string, text: string, options: DelimitedOptions): Table {
  const bare = [...bareRecords(text)];
  if (!text.includes('"')) return toTable(name, bare, options);
  const quoted = isEven(bare) ? looksQuoted(bare) : canBeQuoted(name, text);
  return toTable(name, quoted ? quotedRecords(name, text, "\t") : bare, options);
}

function* bareRecords(text: string): Iterable<DelimitedRecord> {
  for (const [content, line] of linesOf(text)) yield { cells: content.split("\t"), line };
}

function isEven(records: readonly DelimitedRecord[]): boolean {
  return records.every(({ cells }) => cells.length === records[0]?.cells.length);
}

function looksQuoted(records: readonly DelimitedRecord[]): boolean {
  const cells = records.flatMap((record) => record.cells.filter((cell) => cell.includes('"')));
  const whole = cells.every((cell) => /^"(?:[^"]|"")*"$/.test(cell));
  return whole && (cells.some((cell) => cell.slice(1, -1).includes('""')) || records[0]!.cells.includes(cells[0]!));
}

function canBeQuoted(name: string, text: string): boolean {
  try {
    return isEven(quotedRecords(name, text, "\t"));
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/**
 * Records of RFC 4180: a cell that begins with a quote ends with one, holds anything, and writes a quote twice.
 * A quote inside an unquoted cell is a letter. Blank lines are left out.
 */
function quotedRecords(name: string, text: string, delimiter: string): DelimitedRecord[] {
  const records: DelimitedRecord[] = [];
  let cells: string[] = [];
  let [line, began] = [1, 1];
  let at = 0;
  while (at < text.length) {
    const quoted = text[at] === '"';
    const end = quoted ? closingQuote(text, at + 1) : bareEnd(text, at, delimiter);
    if (end < 0) throw new InputError(`${name} line ${line}: a quote opens here and never closes`);
    cells.push(quoted ? text.slice(at + 1, end).replaceAll('""', '"') : text.slice(at, end));
    for (let i = text.indexOf("\n", at); i >= 0 && i < end; i = text.indexOf("\n", i + 1)) line += 1;
    at = quoted ? end + 1 : end;
    if (text[at] === delimiter) {
      at += 1;
      if (at < text.length && !isLineEnd(text, at)) continue;
      cells.push("");
    } else if (at < text.length && !isLineEnd(text, at)) {
      throw new InputError(`${name} line ${line}: ${quoteAround(text, at)} follows a closing quote`);
    }
    if (cells.length > 1 || quoted || cells[0]!.trim() !== "") records.push({ cells, line: began });
    cells = [];
    at = text[at] === "\r" ? at + 2 : at + 1;
    line += 1;
    began = line;
  }
  return records;
}

function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function bareEnd(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && !isLineEnd(text, at)) at += 1;
  return at;
}

function isLineEnd(text: string, at: number): boolean {
  return text[at] === "\n" || (text[at] === "\r" && (text[at + 1] === "\n" || at + 1 === text.length));
}

function quoteAround(text: string, at: number): string {
  return JSON.stringify(text.slice(at, at + 12).split(/[\r\n]/)[0]);
}

function toTable(name: string, records: readonly DelimitedRecord[], { header = true }: DelimitedOptions): Table {
  const first = records[0];
  if (!first) throw new InputError(`${name} is empty`);
  const width = records.reduce((most, { cells }) => Math.max(most, cells.length), 0);
  const columns = header ? headerNames(name, first) : Array.from({ length: width }, (_, i) => `column${i + 1}`);
  const body = header ? records.slice(1) : records;
  if (body.length === 0) throw new InputError(`${name} has a header and no rows`);
  const uneven = header ? body.filter(({ cells }) => cells.length !== columns.length) : [];
  refuseRows(
    uneven.map(
      ({ cells, line }) => `${name} line ${line}: ${cells.length} columns; the first line has ${columns.length}`,
    ),
  );
  const rows = body.map(({ cells }) => Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ""])));
  return table(
    name,
    columns,
    rows,
    Uint32Array.from(body, ({ line }) => line),
  );
}

/** Names of the first line, trimmed; one that is left empty (pandas' index) is called after its place. */
function headerNames(name: string, { cells, line }: DelimitedRecord): string[] {
  const names = cells.map((cell, i) => cell.trim() || `column${i + 1}`);
  const twice = names.filter((one, i) => names.indexOf(one) !== i);
  if (twice.length > 0)
    throw new InputError(`${name} line ${line}: the header names ${[...new Set(twice)].map(quote).join(", ")} twice`);
  return names;
}

const quote = (text: string) => JSON.stringify(text);
