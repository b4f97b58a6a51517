import { InternalError } from "../../errors.ts";
import { type ColumnChoice, chooseColumns } from "../tables/choose-columns.ts";
import { rowProblems, type Table } from "../tables/table.ts";
import { kindOf, labelOf, labelsIn, type RowResult } from "./cells.ts";
import { columnsRead, completionColumns, readCompletionRow } from "./completion-rows.ts";
import { type Example, type ExampleSet, joinSets, type Label } from "./examples.ts";
import { messageColumns, readMessageRow } from "./message-rows.ts";
import { type ByteKeeper, type Packer, textPacker } from "./packed-texts.ts";
import { readTokenRow, tokenColumns } from "./token-rows.ts";
import { readWordRow } from "./word-rows.ts";

type Row = Table["rows"][number];

/** The examples of a table that is a whole data set: see `readRows` and `joinSets`. */
export const readExamples = (table: Table, choice: ColumnChoice = {}): ExampleSet =>
  joinSets([readRows(table, choice)]);

/**
 * The examples of a table, one of those that `joinSets` makes a data set of. Its columns say of which kind: `input_ids` makes rows of tokens, `tokens` or `words` that
 * hold lists makes rows of words (token classification), prompts with answers rows of completions (see
 * `completionColumns`), `messages` and `conversations` rows of conversations, everything else rows of text, see
 * `chooseColumns`.
 * @throws InputError: no such column; rows that are wrong, each named by its line, ten at most.
 */
export function readRows(table: Table, choice: ColumnChoice = {}): ExampleSet {
  const collection = collector(table, choice);
  collection.add(table);
  return collection.set();
}

/**
 * The examples of a large file that comes part by part; the first part's columns are the file's.
 * @param keep where the texts lie; in memory where left out
 */
export async function readParts(
  parts: AsyncIterable<Table>,
  choice: ColumnChoice = {},
  keep?: ByteKeeper,
): Promise<ExampleSet> {
  const pack = textPacker(keep);
  let collection: Collector | undefined;
  for await (const part of parts) {
    collection ??= collector(part, choice);
    collection.add(part, pack);
  }
  if (!collection) throw new InternalError("a file without parts");
  return collection.set();
}

/** How the rows of a table become examples. */
interface RowReader {
  readonly columns: ExampleSet["columns"];
  /** columns that are read, others than text, pair and label too */
  readonly known?: readonly (string | undefined)[] | undefined;
  read(row: Row): RowResult<Example>;
}

function readerOf(table: Table, choice: ColumnChoice): RowReader {
  const column = choice.text ?? ["tokens", "words"].find((name) => table.columns.includes(name));
  if (choice.text === undefined && table.columns.includes("input_ids"))
    return { columns: { text: "input_ids" }, read: readTokenRow, known: tokenColumns };
  if (column !== undefined && table.rows.some((row) => Array.isArray(row[column]))) {
    const names = choice.label === undefined ? ["tags", "ner_tags", "labels"] : [choice.label];
    const label = names.find((name) => table.columns.includes(name));
    const columns = label === undefined ? { text: column } : { text: column, label };
    return { columns, read: (row) => readWordRow(row, columns) };
  }
  const conversation = choice.text === undefined ? messageColumns(table.columns) : undefined;
  if (conversation) {
    const known = Object.values(conversation);
    return { columns: { text: conversation.messages }, read: (row) => readMessageRow(row, conversation), known };
  }
  const completion = choice.text === undefined ? completionColumns(table.name, table.columns) : undefined;
  if (completion) {
    const known = columnsRead(completion);
    return { columns: { text: completion.prompt }, read: (row) => readCompletionRow(row, completion), known };
  }
  const columns = chooseColumns(table.name, table.columns, choice);
  const named = choice.text === undefined ? columns : { ...columns, named: true };
  const labels = new Map<Label, Label>();
  const how = { separator: choice.labelSeparator, labels, isTyped: table.isTyped ?? true };
  return { columns: named, read: (row) => readTextRow(row, columns, how) };
}

/** Gathers the examples of a table's parts. */
interface Collector {
  /** @param pack how the part's examples are kept; its room goes with the last part, while the set stays */
  add(part: Table, pack?: Packer): void;
  set(): ExampleSet;
}

function collector(first: Table, choice: ColumnChoice): Collector {
  const { name, classes, remarks } = first;
  const { columns, known = [columns.text, columns.pair, columns.label], read } = readerOf(first, choice);
  const examples: Example[] = [];
  const starts: number[] = [];
  const places: Table["placeOf"][] = [];
  const others = new Set<string>();
  const placeOf = (index: number) => {
    const part = starts.findLastIndex((start) => start <= index);
    return places[part]?.(index - (starts[part] ?? 0)) ?? name;
  };
  return {
    add(part, pack = (each) => each) {
      starts.push(examples.length);
      places.push(part.placeOf);
      for (const column of part.columns) if (!known.includes(column)) others.add(column);
      const problems = rowProblems();
      const found: Example[] = [];
      for (const [index, row] of part.rows.entries()) {
        const result = read(row);
        if ("example" in result) found.push(result.example);
        else for (const problem of result.problems) problems.add(`${part.placeOf(index)}: ${problem}`);
      }
      problems.refuse();
      for (const example of pack(found)) examples.push(example);
    },
    set() {
      const own = classes?.get(columns.label ?? "");
      const main = [columns.text, columns.pair, columns.label];
      const more = first.columns.filter((column) => known.includes(column) && !main.includes(column));
      const all = { ...columns, ...(more.length > 0 && { more }), leftOut: [...others] };
      return { name, examples, placeOf, columns: all, ...(own && { classes: own }), ...(remarks && { remarks }) };
    },
  };
}

/** How labels of rows of text are read; equal ones of all rows are one value, since large files have few. */
interface LabelReading {
  readonly separator: string | undefined;
  readonly labels: Map<Label, Label>;
  /** whether a number in place of a text is a mistake */
  readonly isTyped: boolean;
}

function readTextRow(
  row: Row,
  columns: ExampleSet["columns"],
  { separator, labels: known, isTyped }: LabelReading,
): RowResult<Example> {
  const problems: string[] = [];
  const textOf = (column: string): string => {
    const value = row[column];
    if (typeof value === "string") return value;
    if (!isTyped && typeof value === "number") return String(value);
    problems.push(`"${column}" is ${kindOf(value)} instead of text`);
    return "";
  };
  const text = textOf(columns.text);
  const pair = columns.pair === undefined ? undefined : textOf(columns.pair);
  const cell = columns.label === undefined ? undefined : row[columns.label];
  const labels = labelsIn(cell, separator);
  const label = labels === undefined ? labelOf(cell) : undefined;
  if (label === null) problems.push(`"${columns.label}" is ${kindOf(cell)} instead of a label`);
  if (labels === null) problems.push(`"${columns.label}" holds something else than labels: ${JSON.stringify(cell)}`);
  if (problems.length > 0) return { problems };
  if (labels)
    return { example: pair === undefined ? { kind: "text", text, labels } : { kind: "text", text, pair, labels } };
  if (label === undefined || label === null)
    return { example: pair === undefined ? { kind: "text", text } : { kind: "text", text, pair } };
  if (!known.has(label)) known.set(label, label);
  const own = known.get(label) ?? label;
  return {
    example: pair === undefined ? { kind: "text", text, label: own } : { kind: "text", text, pair, label: own },
  };
}
