import { type ColumnChoice, chooseColumns } from "../tables/choose-columns.ts";
import { refuseRows, type Table } from "../tables/table.ts";
import { kindOf, labelOf, labelsOf, type RowResult, withLabel } from "./cells.ts";
import { columnsRead, completionColumns, readCompletionRow } from "./completion-rows.ts";
import { type Example, type ExampleSet, joinSets } from "./examples.ts";
import { messageColumns, readMessageRow } from "./message-rows.ts";
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
  const column = choice.text ?? ["tokens", "words"].find((name) => table.columns.includes(name));
  if (choice.text === undefined && table.columns.includes("input_ids"))
    return collect(table, { text: "input_ids" }, readTokenRow, tokenColumns);
  if (column !== undefined && table.rows.some((row) => Array.isArray(row[column]))) {
    const names = choice.label === undefined ? ["tags", "ner_tags", "labels"] : [choice.label];
    const label = names.find((name) => table.columns.includes(name));
    const columns = label === undefined ? { text: column } : { text: column, label };
    return collect(table, columns, (row) => readWordRow(row, columns));
  }
  const conversation = choice.text === undefined ? messageColumns(table.columns) : undefined;
  if (conversation) {
    const read = Object.values(conversation);
    return collect(table, { text: conversation.messages }, (row) => readMessageRow(row, conversation), read);
  }
  const completion = choice.text === undefined ? completionColumns(table.name, table.columns) : undefined;
  if (completion) {
    const read = columnsRead(completion);
    return collect(table, { text: completion.prompt }, (row) => readCompletionRow(row, completion), read);
  }
  const columns = chooseColumns(table.name, table.columns, choice);
  const named = choice.text === undefined ? columns : { ...columns, named: true };
  return collect(table, named, (row) => readTextRow(row, columns, choice.labelSeparator));
}

function collect(
  table: Table,
  columns: ExampleSet["columns"],
  read: (row: Row) => RowResult<Example>,
  known: readonly (string | undefined)[] = [columns.text, columns.pair, columns.label],
): ExampleSet {
  const examples: Example[] = [];
  const problems: string[] = [];
  for (const [index, row] of table.rows.entries()) {
    const result = read(row);
    if ("example" in result) examples.push(result.example);
    else problems.push(...result.problems.map((problem) => `${table.placeOf(index)}: ${problem}`));
  }
  refuseRows(problems);
  const leftOut = table.columns.filter((column) => !known.includes(column));
  const classes = table.classes?.get(columns.label ?? "");
  const named = { ...columns, leftOut };
  return { name: table.name, examples, placeOf: table.placeOf, columns: named, ...(classes && { classes }) };
}

function readTextRow(row: Row, columns: ExampleSet["columns"], separator: string | undefined): RowResult<Example> {
  const problems: string[] = [];
  const textOf = (column: string): string => {
    const value = row[column];
    if (typeof value === "string") return value;
    problems.push(`"${column}" is ${kindOf(value)} instead of text`);
    return "";
  };
  const text = textOf(columns.text);
  const pair = columns.pair === undefined ? undefined : textOf(columns.pair);
  const cell = columns.label === undefined ? undefined : row[columns.label];
  const labels = labelsOf(cell, separator);
  const label = labels === undefined ? labelOf(cell) : undefined;
  if (label === null) problems.push(`"${columns.label}" is ${kindOf(cell)} instead of a label`);
  if (labels === null) problems.push(`"${columns.label}" holds something else than labels: ${JSON.stringify(cell)}`);
  if (problems.length > 0) return { problems };
  const texts = { text, ...(pair === undefined ? {} : { pair }) };
  return { example: { kind: "text", ...texts, ...(labels ? { labels } : withLabel(label)) } };
}
