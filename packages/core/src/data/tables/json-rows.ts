import { InputError } from "../../errors.ts";
import { isRecord } from "../../values.ts";
import { type ArrayElement, arrayCutter } from "./array-elements.ts";
import { exactNumber } from "./exact-number.ts";
import type { ReadOptions } from "./read-options.ts";
import { keysOf, rowProblems, type Table, table } from "./table.ts";
import { decodeText, escapedLetters, linesOf } from "./text.ts";
import type { LinePiece } from "./text-pieces.ts";

type Row = Table["rows"][number];
type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string };

/**
 * JSON Lines: an object a line; blank lines are left out. An array of objects under that name is read as such.
 * @throws InputError naming every line (ten at most) that is not an object; empty file.
 */
export function readJsonLines(name: string, bytes: Uint8Array, { encoding }: ReadOptions = {}): Table {
  const text = decodeText(name, bytes, encoding);
  return isArray(text) ? fromPieces(name, elementsOf(name, text)) : fromPieces(name, linesOf(text));
}

/**
 * A JSON array of objects. A `.json` file that is really JSON Lines, as many data sets have it, is read as such.
 * @throws InputError naming the line of the row that is wrong; a file that holds something else than rows.
 */
export function readJsonRows(name: string, bytes: Uint8Array, { encoding }: ReadOptions = {}): Table {
  const text = decodeText(name, bytes, encoding);
  if (text.trim() === "") throw new InputError(`${name} is empty`);
  if (isArray(text)) return fromPieces(name, elementsOf(name, text));
  const lines = [...linesOf(text)];
  const first = parse(lines[0]![0]);
  if (first.ok && isRecord(first.value) && !(lines.length === 1 && wraps(first.value))) return fromPieces(name, lines);
  const whole = parse(text);
  if (!whole.ok) throw new InputError(`${name} line 1: expected "[", the start of an array of rows`);
  const keys = isRecord(whole.value) ? ` with the keys ${Object.keys(whole.value).slice(0, 8).join(", ")}` : "";
  throw new InputError(
    `${name} holds one value${keys}; expected an array of rows, or a row a line; write the rows alone`,
  );
}

/** Whether an object is no row but holds rows under one of its keys, as an interface's answer does. */
const wraps = (value: Row): boolean => {
  const lists = Object.entries(value).filter(
    ([, item]) => Array.isArray(item) && item.length > 0 && item.every(isRecord),
  );
  return lists.some(([key]) => /^(?:data|rows|records|examples|items|results|train|entries)$/i.test(key));
};

/** The rows of some lines, each an object. @throws InputError with what is wrong with the others */
function rowsOfLines(
  name: string,
  pieces: Iterable<readonly [text: string, line: number]>,
): { readonly rows: readonly Row[]; readonly lines: readonly number[] } {
  const rows: Row[] = [];
  const lines: number[] = [];
  const problems = rowProblems();
  for (const [text, line] of pieces) {
    const parsed = parse(text);
    if (parsed.ok && isRecord(parsed.value)) {
      rows.push(parsed.value);
      lines.push(line);
    } else
      problems.add(
        `${name} line ${line}: ${parsed.ok ? `${kindOf(parsed.value)} instead of an object` : parsed.reason}`,
      );
  }
  problems.refuse();
  return { rows, lines };
}

/**
 * A large array of objects part by part: those that end in each piece of its text.
 * @throws InputError as `readJsonRows`
 */
export async function* arrayParts(name: string, pieces: AsyncIterable<string>): AsyncGenerator<Table> {
  const cutter = arrayCutter(name);
  let given = 0;
  for await (const piece of pieces) {
    const elements = [...cutter.elementsIn(piece)];
    given += elements.length;
    if (elements.length > 0) yield fromPieces(name, elements);
  }
  cutter.end();
  if (given === 0) throw new InputError(`${name} has no rows`);
}

/**
 * The rows of JSON Lines part by part.
 * @throws InputError as `readJsonLines`
 */
export async function* lineParts(name: string, pieces: AsyncIterable<LinePiece>): AsyncGenerator<Table> {
  let given = 0;
  for await (const { text, firstLine } of pieces) {
    const lines = [...linesOf(text, firstLine)];
    given += lines.length;
    if (lines.length > 0) yield fromPieces(name, lines);
  }
  if (given === 0) throw new InputError(`${name} has no rows`);
}

/** How a file of JSON holds its rows, as its beginning shows; undefined where only the whole of it does. */
export function jsonLayout(start: string): "array" | "lines" | undefined {
  if (isArray(start)) return "array";
  const [first, second] = linesOf(start);
  const parsed = first && second && parse(first[0]);
  return parsed?.ok && isRecord(parsed.value) ? "lines" : undefined;
}

const isArray = (text: string): boolean => /^\s*\[/.test(text);

function fromPieces(name: string, pieces: Iterable<readonly [text: string, line: number]>): Table {
  const { rows, lines } = rowsOfLines(name, pieces);
  if (rows.length === 0) throw new InputError(`${name} has no rows`);
  return table(name, keysOf(rows), rows, Uint32Array.from(lines));
}

function parse(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    return { ok: true, value: mayLoseDigits.test(text) ? JSON.parse(withExactNumbers(text)) : value };
  } catch {
    const [, strange] = /[:[,]\s*(-?(?:NaN|Infinity))\b/.exec(text) ?? [];
    const reason = strange === undefined ? `not JSON: ${excerpt(text)}` : `${strange} is no value of JSON; write null`;
    return { ok: false, reason };
  }
}

const mayLoseDigits = /\d{16}/;

/** JSON whose numbers stand as {@link exactNumber} has them; strings stay what they are. */
const withExactNumbers = (json: string): string =>
  json.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') || typeof exactNumber(token) === "number" ? token : `"${token}"`,
  );

/** The beginning of what is no JSON; letters that nobody sees are written as JSON writes them, since they may be the reason. */
function excerpt(text: string): string {
  const line = text
    .slice(0, 1000)
    .replaceAll(/[ \t\r\n]+/g, " ")
    .replace(/^ | $/g, "");
  const seen = escapedLetters(line, /[^\S ]|[\p{Cc}\p{Cf}]/gu);
  return seen.length > 60 ? `${seen.slice(0, 60)}…` : seen;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}

/** The elements of a JSON array. */
function* elementsOf(name: string, text: string): Iterable<ArrayElement> {
  const cutter = arrayCutter(name);
  yield* cutter.elementsIn(text);
  cutter.end();
}
