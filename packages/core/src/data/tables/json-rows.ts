import { InputError } from "../../errors.ts";
import { isRecord } from "../../values.ts";
import type { ReadOptions } from "./read-options.ts";
import { keysOf, rowProblems, type Table, table } from "./table.ts";
import { decodeText, linesOf } from "./text.ts";

type Row = Table["rows"][number];
type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string };

/**
 * JSON Lines: an object a line; blank lines are left out. An array of objects under that name is read as such.
 * @throws InputError naming every line (ten at most) that is not an object; empty file.
 */
export function readJsonLines(name: string, bytes: Uint8Array, { encoding }: ReadOptions = {}): Table {
  const text = decodeText(name, bytes, encoding);
  return /^\s*\[/.test(text) ? fromPieces(name, elementsOf(name, text)) : fromPieces(name, linesOf(text));
}

/**
 * A JSON array of objects. A `.json` file that is really JSON Lines, as many data sets have it, is read as such.
 * @throws InputError naming the line of the row that is wrong; a file that holds something else than rows.
 */
export function readJsonRows(name: string, bytes: Uint8Array, { encoding }: ReadOptions = {}): Table {
  const text = decodeText(name, bytes, encoding);
  const start = text.trimStart();
  if (start === "") throw new InputError(`${name} is empty`);
  if (start.startsWith("[")) return fromPieces(name, elementsOf(name, text));
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
export function rowsOfLines(
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

/** Letters of an array that become rows at a time. */
const lettersATime = 2 ** 20;

/**
 * A large array of objects part by part; `pause` is awaited between two, with the letters that are read of all.
 * @throws InputError as `readJsonRows`; what `pause` throws
 */
export async function* arrayParts(
  name: string,
  bytes: Uint8Array,
  { encoding }: ReadOptions,
  pause: (done: number, of: number) => Promise<void>,
): AsyncGenerator<Table> {
  const text = decodeText(name, bytes, encoding);
  let [read, gathered] = [0, 0];
  let pieces: (readonly [text: string, line: number])[] = [];
  for (const piece of elementsOf(name, text)) {
    pieces.push(piece);
    gathered += piece[0].length;
    if (gathered < lettersATime) continue;
    yield fromPieces(name, pieces);
    read += gathered;
    [pieces, gathered] = [[], 0];
    await pause(read, text.length);
  }
  if (pieces.length > 0 || read === 0) yield fromPieces(name, pieces);
}

function fromPieces(name: string, pieces: Iterable<readonly [text: string, line: number]>): Table {
  const { rows, lines } = rowsOfLines(name, pieces);
  if (rows.length === 0) throw new InputError(`${name} has no rows`);
  return table(name, keysOf(rows), rows, Uint32Array.from(lines));
}

function parse(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    const [, strange] = /[:[,]\s*(-?(?:NaN|Infinity))\b/.exec(text) ?? [];
    const reason = strange === undefined ? `not JSON: ${excerpt(text)}` : `${strange} is no value of JSON; write null`;
    return { ok: false, reason };
  }
}

function excerpt(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}

/** The elements of a JSON array, cut out by their brackets and strings alone, with the line on which each begins. */
function* elementsOf(name: string, text: string): Iterable<readonly [text: string, line: number]> {
  let [depth, line, start, began] = [0, 1, -1, 1];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "\n") line += 1;
    if (letter === undefined || isBlank(letter)) continue;
    if (depth === 0 && letter !== "[") throw new InputError(`${name} line ${line}: something follows the array's end`);
    if (depth === 1 && (letter === "," || letter === "]")) {
      if (start >= 0) yield [text.slice(start, at), began];
      start = -1;
    } else if (depth === 1 && start < 0) [start, began] = [at, line];
    if (letter === "[" || letter === "{") depth += 1;
    if (letter === "]" || letter === "}") depth -= 1;
    if (letter === '"') at = stringEnd(text, at);
    if (depth === 0) {
      if (text.slice(at + 1).trim() === "") return;
      throw new InputError(`${name} line ${line}: something follows the array's end`);
    }
  }
  const where = start >= 0 ? `; the row that begins on line ${began} is not complete` : "";
  throw new InputError(`${name} line ${line}: the array never ends${where}`);
}

const isBlank = (letter: string) => letter === " " || letter === "\n" || letter === "\r" || letter === "\t";

/** The place of a string's closing quote; a line ends a string that is not closed. */
function stringEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at;
    else if (text[at] === "\n") return at - 1;
  }
  return text.length;
}
