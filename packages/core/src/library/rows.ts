import { readExamples } from "../data/rows/columns.ts";
import type { ExampleSet, Label } from "../data/rows/examples.ts";
import type { ColumnChoice } from "../data/tables/choose-columns.ts";
import { keysOf, type Table } from "../data/tables/table.ts";
import { InputError } from "../errors.ts";
import { type StopSignal, throwIfStopped } from "../training/stop-signal.ts";
import { isObject, isRecord } from "../values.ts";
import { isRows, what } from "./check.ts";

/** One turn of a conversation. */
export interface Message {
  readonly role: string;
  readonly content: string;
}

/** A row that a program has in memory. */
export type Row =
  | { readonly text: string; readonly textPair?: string; readonly label?: Label }
  | { readonly prompt: string; readonly completion: string }
  | { readonly messages: readonly Message[] }
  | {
      readonly inputIds: Iterable<number>;
      readonly attentionMask?: Iterable<number>;
      readonly tokenTypeIds?: Iterable<number>;
      readonly label?: Label;
      readonly labels?: Iterable<number>;
    }
  | Readonly<Record<string, unknown>>;

/** Rows in memory, or that come one by one. */
export type Rows = Iterable<Row> | AsyncIterable<Row>;

/** How rows in memory name what files name otherwise. */
const columnNames: Readonly<Record<string, string>> = {
  textPair: "text_pair",
  inputIds: "input_ids",
  attentionMask: "attention_mask",
  tokenTypeIds: "token_type_ids",
};

/** Whether a value is rows in memory. */
export const areRows = (value: unknown): value is Rows =>
  isObject(value) && (Symbol.iterator in value || Symbol.asyncIterator in value);

/**
 * The examples of rows in memory, which are read as those of a file are.
 * @throws InputError naming each row that is none; the signal's reason
 */
export async function readGiven(
  rows: Rows | ExampleSet,
  columns: ColumnChoice = {},
  { name = "rows", signal }: { readonly name?: string; readonly signal?: StopSignal | undefined } = {},
): Promise<ExampleSet> {
  if (isRows(rows)) return rows;
  if (!areRows(rows))
    throw new InputError(`${name} are ${what(rows)}; they must be a list of rows, as in [{ text, label }]`);
  const found: Table["rows"][number][] = [];
  const problems: string[] = [];
  for await (const row of rows) {
    throwIfStopped(signal);
    if (isRecord(row)) found.push(cellsOf(row));
    else
      problems.push(`row ${found.length + problems.length + 1} is ${what(row)}, and no object such as { text, label }`);
  }
  if (problems.length > 0) throw new InputError(problems.slice(0, 10));
  if (found.length === 0) throw new InputError(`there are no ${name}`);
  const placeOf = (row: number) => `${name === "rows" ? "row" : `${name}: row`} ${row + 1}`;
  const table: Table = { name, columns: keysOf(found), rows: found, lineOf: (row) => row + 1, placeOf };
  return readExamples(table, namedAlike(columns));
}

const namedAlike = (columns: ColumnChoice): ColumnChoice =>
  Object.fromEntries(
    Object.entries(columns).flatMap(([name, column]) =>
      column === undefined ? [] : [[name, columnNames[column] ?? column]],
    ),
  );

/** A row's fields under the names that files have; lists of numbers may be arrays of any kind. */
const cellsOf = (row: object): Table["rows"][number] =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, unknown]) => [columnNames[name] ?? name, listed(value)]),
  );

const listed = (value: unknown): unknown =>
  value instanceof Int32Array ||
  value instanceof Uint32Array ||
  value instanceof Uint16Array ||
  value instanceof Uint8Array
    ? Array.from(value)
    : value instanceof BigInt64Array
      ? Array.from(value, Number)
      : value;
