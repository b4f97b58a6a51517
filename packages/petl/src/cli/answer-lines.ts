import { isRecord, type Label } from "@petl/core";

/** How answers are written. */
interface AnswerForm {
  readonly format: "json" | "csv";
  /** the labels in the order of their ids, in which their scores stand */
  readonly labels: readonly Label[];
  /** whether the best score comes first instead */
  readonly bestFirst: boolean;
  print(line: string): Promise<void>;
}

/**
 * Writes answers, a line each; CSV has a line with the columns' names in front. Scores stand in their order whatever labels
 * are called, where an object of JavaScript would have whole numbers first.
 */
export function answerLines({ format, labels, bestFirst, print }: AnswerForm): (answer: object) => Promise<void> {
  const places = new Map(labels.map((label, place) => [String(label), place]));
  const ordered = (scores: readonly (readonly [string, unknown])[]) =>
    bestFirst
      ? [...scores].sort(([, a], [, b]) => Number(b) - Number(a))
      : [...scores].sort(([a], [b]) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
  const scoresJson = (scores: unknown): string => {
    if (Array.isArray(scores)) return `[${scores.map(scoresJson).join(",")}]`;
    return isRecord(scores) ? objectOf(ordered(Object.entries(scores))) : JSON.stringify(scores);
  };
  const json = (name: string, value: unknown) => (name === "scores" ? scoresJson(value) : JSON.stringify(value));
  let begun = false;
  return async (answer) => {
    const fields: readonly (readonly [string, unknown])[] = Object.entries(answer);
    if (format === "json") return print(objectOf(fields, json));
    if (!begun) await print(fields.map(([name]) => name).join(","));
    begun = true;
    await print(
      fields.map(([name, value]) => csvCell(isPlain(value) ? String(value ?? "") : json(name, value))).join(","),
    );
  };
}

/** An object of JSON with its fields in this order; those that are undefined are left out. */
const objectOf = (
  fields: readonly (readonly [string, unknown])[],
  json = (_: string, value: unknown): string => JSON.stringify(value),
): string => {
  const known = fields.filter(([, value]) => value !== undefined);
  return `{${known.map(([name, value]) => `${JSON.stringify(name)}:${json(name, value)}`).join(",")}}`;
};

const isPlain = (value: unknown): boolean => typeof value !== "object" || value === null;

const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
