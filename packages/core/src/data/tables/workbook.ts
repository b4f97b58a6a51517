import { strFromU8, unzipSync } from "fflate";
import { crc32 } from "../../containers/checksums.ts";
import { InputError, refuse, suggestion } from "../../errors.ts";
import { exactNumber } from "./exact-number.ts";
import { atOnce, type Steps } from "./in-steps.ts";
import type { ReadOptions } from "./read-options.ts";
import { refuseRows, rowProblems, type Table, table } from "./table.ts";
import { dateStyles, dateText } from "./workbook-dates.ts";
import { attributeOf, elementsOf, xmlText } from "./xml.ts";
import { zipChecksums } from "./zip-checksums.ts";

type Cell = string | number | boolean;
/** What a workbook may unpack to, and how far right a sheet goes. */
const most = { ratio: 40, bytes: 48e6, entries: 10_000, columns: 16_384 } as const;

/**
 * A sheet of an Excel workbook (.xlsx, ECMA-376), the first that is not hidden where none is named: its first row names the
 * columns. Numbers and truth values are such, dates texts as ISO 8601 has them; empty cells are missing, and empty rows are
 * left out. What cells that are merged down say holds for each of their rows. Of several sheets the table's name tells which
 * one it is. Hidden rows are rows, and formulas have the values that the file gives them; its remarks count those that may not
 * be meant.
 * @throws InputError: no workbook, or a damaged one; no such sheet, no rows, a name used twice, a formula without its value
 */
export const readWorkbook = (file: string, bytes: Uint8Array, options: ReadOptions = {}): Table =>
  atOnce(workbookSteps(file, bytes, options));

/** Rows that are made between two steps. */
const rowsATime = 1_000;

/** The same in steps, in which a host hears what it is told: each yields the share of the sheet that is done. */
export function* workbookSteps(file: string, bytes: Uint8Array, { header = true, sheet }: ReadOptions): Steps<Table> {
  const parts = unpacked(file, bytes);
  const { content, title, others } = sheetText(file, parts, sheet);
  const name = others.length === 0 ? file : `${file} sheet "${title}"`;
  const besides = others.length === 0 ? "" : `; choose another with \`sheet\`: ${others.slice(0, 20).join(", ")}`;
  yield 0;
  const book = bookOf(parts);
  yield 0;
  const rows: SheetRow[] = [];
  let seen = 0;
  for (const row of rowsOf(name, content, book)) {
    if (++seen % rowsATime === 0) yield row.end / content.length;
    if (row.cells.size > 0) rows.push(row);
  }
  fillMerged(name, rows, content);
  const [first] = rows;
  if (!first) throw new InputError(`${name} has no rows${besides}`);
  const width = rows.reduce((widest, { cells }) => Math.max(widest, widthOf(cells)), 0);
  const columns = Array.from({ length: width }, (_, at) => `column${at + 1}`);
  if (header) for (const [at, cell] of first.cells) columns[at] = String(cell).trim() || (columns[at] ?? "");
  const known = new Set<string>();
  const twice = columns.find((column) => known.size === known.add(column).size);
  if (twice !== undefined) throw new InputError(`${name} row ${first.number}: the header names "${twice}" twice`);
  const body = header ? rows.slice(1) : rows;
  if (body.length === 0) throw new InputError(`${name} has a header and no rows${besides}`);
  const used = header ? columns.slice(0, widthOf(first.cells)) : columns;
  const far = body.filter(({ cells }) => widthOf(cells) > used.length);
  const top = `row ${first.number} (${[...first.cells.values()].join(", ").slice(0, 60)})`;
  refuseRows(
    far.map(
      ({ number }) =>
        `${name} row ${number}: a cell stands right of the last named column; ${top} is the header, and nothing may stand above it`,
    ),
  );
  const records = body.map(({ cells }) =>
    Object.fromEntries(used.map((column, at) => [column, cells.get(at) ?? null])),
  );
  const numbers = Uint32Array.from(body, ({ number }) => number);
  const remarks = [...hiddenRows(name, body), ...formulasToCompute(name, used, body, parts)];
  return { ...table(name, used, records, numbers, "row"), isTyped: false, remarks };
}

/** Rows that whoever looks at the sheet does not see: put out of sight, or by a filter. */
function hiddenRows(name: string, rows: readonly SheetRow[]): readonly string[] {
  const hidden = rows.filter(({ isHidden }) => isHidden).length;
  return hidden === 0
    ? []
    : [`${name}: ${hidden} of its ${rows.length} rows are hidden, by a filter or by hand, and are read too`];
}

/** Formulas of a workbook that asks to be computed when it is opened: programs that write it so give 0 in the place of values. */
function formulasToCompute(
  name: string,
  columns: readonly string[],
  rows: readonly SheetRow[],
  parts: ReadonlyMap<string, string>,
): readonly string[] {
  const [how] = elementsOf(parts.get("xl/workbook.xml") ?? "", "calcPr");
  if (!how || !isTrue(attributeOf(how.head, "fullCalcOnLoad"))) return [];
  const computed = columns.filter((_, at) => rows.some(({ formulas }) => formulas.includes(at)));
  if (computed.length === 0) return [];
  const shown = computed.slice(0, 20).map((column) => `"${column}"`);
  return [
    `${name}: formulas in ${shown.join(", ")}, whose values the file says are still to be computed; where they are wrong here (0, say), open the workbook in a program for it, and save`,
  ];
}

const widthOf = (cells: ReadonlyMap<number, Cell>) => Math.max(...cells.keys()) + 1;

/** The texts of the parts that are read, by their names. */
function unpacked(name: string, bytes: Uint8Array): ReadonlyMap<string, string> {
  let [total, entries] = [0, 0];
  const limit = Math.max(most.bytes, most.ratio * bytes.length);
  const wanted =
    /^xl\/(?:workbook\.xml|_rels\/workbook\.xml\.rels|sharedStrings\.xml|styles\.xml|worksheets\/[^/]+\.xml)$/;
  try {
    const files = unzipSync(bytes, {
      filter: ({ name: entry, originalSize }) => {
        if (++entries > most.entries) throw new InputError(`${name}: more than ${most.entries} parts`);
        if (!wanted.test(entry)) return false;
        total += originalSize;
        if (total > limit) throw new InputError(`${name}: unpacks to more than ${Math.round(limit / 1e6)} MB`);
        return true;
      },
    });
    const checksums = zipChecksums(bytes);
    const damaged = Object.keys(files).filter(
      (entry) => checksums.get(entry) !== crc32(files[entry] ?? new Uint8Array()),
    );
    refuse(damaged.map((entry) => `${name}: its part "${entry}" is damaged: its checksum is another`));
    return new Map(Object.entries(files).map(([entry, content]) => [entry, plainXml(name, entry, strFromU8(content))]));
  } catch (error) {
    if (error instanceof InputError) throw error;
    const why = isCompound(bytes)
      ? "it is an old .xls, or has a password; save it as .xlsx without one"
      : error instanceof Error
        ? error.message
        : error;
    throw new InputError(`${name}: no .xlsx workbook: ${why}`);
  }
}

/** Whether a file is of the kind that old workbooks are, and that hides those with a password. */
const isCompound = (bytes: Uint8Array) => [0xd0, 0xcf, 0x11, 0xe0].every((byte, at) => bytes[at] === byte);

/** A part's XML; what no program for workbooks writes, and would be taken for a cell's text, is refused. */
function plainXml(name: string, entry: string, xml: string): string {
  const [strange] = /<!(?:DOCTYPE|ENTITY|\[CDATA\[)/i.exec(xml) ?? [];
  if (strange === undefined) return xml;
  throw new InputError(
    `${name}: its part "${entry}" holds "${strange}"; open the workbook in a program for it, and save`,
  );
}

/** A sheet's XML, its title, and those of the others. */
function sheetText(name: string, parts: ReadonlyMap<string, string>, wanted: string | undefined) {
  const book = parts.get("xl/workbook.xml");
  if (book === undefined) throw new InputError(`${name}: no .xlsx workbook: it has no list of sheets`);
  const links = [...elementsOf(parts.get("xl/_rels/workbook.xml.rels") ?? "", "Relationship")].map(({ head }) => ({
    id: attributeOf(head, "Id"),
    target: attributeOf(head, "Target") ?? "",
    holdsCells: /(?:^|\/)worksheet$/.test(attributeOf(head, "Type") ?? "worksheet"),
  }));
  const sheets = [...elementsOf(book, "sheet")]
    .map(({ head }) => ({
      title: attributeOf(head, "name") ?? "",
      isHidden: /hidden$/i.test(attributeOf(head, "state") ?? ""),
      link: links.find(({ id }) => id === attributeOf(head, "r:id")),
    }))
    .filter(({ link }) => link?.holdsCells !== false);
  const titles = sheets.map(({ title }) => title);
  const chosen =
    wanted === undefined
      ? (sheets.find(({ isHidden }) => !isHidden) ?? sheets[0])
      : sheets.find(({ title }) => title === wanted);
  if (wanted === undefined && !chosen) throw new InputError(`${name} has no sheet of cells`);
  if (!chosen)
    throw new InputError(
      `${name} has no sheet "${wanted}"${suggestion(wanted ?? "", titles)}; its sheets: ${titles.slice(0, 20).join(", ")}`,
    );
  const target = chosen.link?.target ?? "";
  const content = parts.get(target.startsWith("/") ? target.slice(1) : `xl/${target}`);
  if (content === undefined) throw new InputError(`${name}: its sheet "${chosen.title}" is not there`);
  return { content, title: chosen.title, others: titles.filter((title) => title !== chosen.title) };
}

/** What cells of all sheets point at. */
interface Book {
  readonly texts: readonly string[];
  readonly dates: ReadonlySet<number>;
  readonly from1904: boolean;
}

function bookOf(parts: ReadonlyMap<string, string>): Book {
  const [settings] = elementsOf(parts.get("xl/workbook.xml") ?? "", "workbookPr");
  return {
    texts: sharedTexts(parts.get("xl/sharedStrings.xml") ?? ""),
    dates: dateStyles(parts.get("xl/styles.xml") ?? ""),
    from1904: isTrue(settings && attributeOf(settings.head, "date1904")),
  };
}

const isTrue = (value: string | undefined): boolean => value === "1" || value === "true";

/** The texts that cells point at; one may be made of runs, and readings of Japanese words are no part of it. */
const sharedTexts = (xml: string): readonly string[] => [...elementsOf(xml, "si")].map(({ body }) => runsOf(body));

const runsOf = (body: string): string =>
  [...elementsOf(withoutReadings(body), "t")].map(({ body: text }) => xmlText(text)).join("");

function withoutReadings(body: string): string {
  const [first = "", ...pieces] = body.split("<rPh");
  return first + pieces.map((piece) => piece.slice(piece.indexOf("</rPh>") + 1 || piece.length)).join("");
}

interface SheetRow {
  readonly number: number;
  readonly cells: Map<number, Cell>;
  /** the places of cells whose value a formula has */
  readonly formulas: readonly number[];
  readonly isHidden: boolean;
  /** where the sheet's text goes on behind it */
  readonly end: number;
}

function* rowsOf(name: string, xml: string, book: Book): Iterable<SheetRow> {
  let number = 0;
  const problems = rowProblems();
  for (const { head, body, end } of elementsOf(xml, "row")) {
    number = Number(attributeOf(head, "r") ?? number + 1);
    const cells = new Map<number, Cell>();
    const formulas: number[] = [];
    let at = -1;
    for (const cell of elementsOf(body, "c")) {
      at = columnOf(attributeOf(cell.head, "r")) ?? at + 1;
      const value = cellOf(cell.head, cell.body, book);
      if (value === undefined && lacksValue(cell))
        problems.add(
          `${name} row ${number}: a formula without its value; open the workbook in a program for it, and save`,
        );
      if (isFormula(cell.body)) formulas.push(at);
      if (value !== undefined && value !== "" && at < most.columns) cells.set(at, value);
    }
    yield { number, cells, formulas, isHidden: isTrue(attributeOf(head, "hidden")), end };
  }
  problems.refuse();
}

/** Whether a cell is a formula that no program has computed yet; a computed text may be empty. */
function lacksValue({ head, body }: { readonly head: string; readonly body: string }): boolean {
  const [value] = elementsOf(body, "v");
  return isFormula(body) && !value?.body && attributeOf(head, "t") !== "str";
}

function isFormula(body: string): boolean {
  const [formula] = elementsOf(body, "f");
  return formula !== undefined;
}

/** Gives every row of cells that are merged downwards what the uppermost says. */
function fillMerged(name: string, rows: readonly SheetRow[], xml: string): void {
  const places = new Map(rows.map(({ number }, at) => [number, at]));
  let filled = 0;
  for (const { head } of elementsOf(xml, "mergeCell")) {
    const [from = "", to = ""] = (attributeOf(head, "ref") ?? "").split(":");
    const [column, top] = [columnOf(from), places.get(rowOf(from))];
    const value = column === undefined || top === undefined ? undefined : rows[top]?.cells.get(column);
    if (column === undefined || top === undefined || value === undefined) continue;
    for (let at = top + 1; (rows[at]?.number ?? Number.POSITIVE_INFINITY) <= rowOf(to); at++) {
      rows[at]?.cells.set(column, value);
      if (++filled > most.columns * rows.length) throw new InputError(`${name}: merged cells lie over one another`);
    }
  }
}

const rowOf = (reference: string): number => Number(/\d+$/.exec(reference)?.[0] ?? 0);

/** The place of a column from 0: "C7" is 2. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^([A-Z]{1,3})\d+$/.exec(reference ?? "")?.[1];
  if (letters === undefined) return undefined;
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

function cellOf(head: string, body: string, { texts, dates, from1904 }: Book): Cell | undefined {
  const [value] = elementsOf(body, "v");
  const text = value && xmlText(value.body);
  switch (attributeOf(head, "t") ?? "n") {
    case "s":
      return text === undefined ? undefined : texts[Number(text)];
    case "inlineStr":
      return runsOf(body);
    case "b":
      return text === undefined ? undefined : text === "1";
    case "n": {
      const number = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
      if (!Number.isFinite(number)) return undefined;
      const isDate = dates.has(Number(attributeOf(head, "s") ?? -1));
      if (isDate) return dateText(number, from1904) ?? number;
      return text === undefined ? number : exactNumber(text);
    }
    default:
      return text;
  }
}
