import { kindOf, type RowResult } from "./cells.ts";
import type { Example, ExampleSet, Label } from "./examples.ts";

type WordExample = Extract<Example, { kind: "words" }>;

/** A row of words with a label each: `{"tokens": ["EU", "rejects"], "ner_tags": ["B-ORG", "O"]}`; tags may be integers. */
export function readWordRow(
  row: Readonly<Record<string, unknown>>,
  columns: ExampleSet["columns"],
): RowResult<WordExample> {
  const problems: string[] = [];
  const list = <T>(column: string, allowed: (value: unknown) => value is T, expected: string): readonly T[] => {
    const value = row[column];
    if (Array.isArray(value) && value.every(allowed)) return value;
    const strange = Array.isArray(value) ? value.find((item) => !allowed(item)) : undefined;
    const what = strange === undefined ? `is ${kindOf(value)}` : `holds ${JSON.stringify(strange)}`;
    problems.push(`"${column}" ${what}; expected a list of ${expected}`);
    return [];
  };
  const words = list(columns.text, (value) => typeof value === "string", "words");
  const tags = columns.label === undefined ? undefined : row[columns.label];
  const labels =
    columns.label === undefined || tags === undefined || tags === null
      ? undefined
      : list(columns.label, isTag, "names or integers from 0");
  if (problems.length === 0 && words.length === 0) problems.push(`"${columns.text}" is empty`);
  if (problems.length === 0 && labels && labels.length !== words.length)
    problems.push(`${labels.length} ${columns.label} for ${words.length} ${columns.text}`);
  return problems.length > 0 ? { problems } : { example: { kind: "words", words, ...(labels && { labels }) } };
}

function isTag(value: unknown): value is Label {
  return (typeof value === "string" && value !== "") || (Number.isInteger(value) && Number(value) >= 0);
}
