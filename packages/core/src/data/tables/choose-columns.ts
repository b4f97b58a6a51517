import { InputError, suggestion } from "../../errors.ts";

/** Columns that the user names; the others are found by their usual names. */
export interface ColumnChoice {
  readonly text?: string | undefined;
  readonly textPair?: string | undefined;
  readonly label?: string | undefined;
  /** what parts the labels of a cell that has any number of them; a cell is one label where left out */
  readonly labelSeparator?: string | undefined;
}

/** The columns of text rows by name. */
interface TextColumns {
  readonly text: string;
  readonly pair?: string;
  readonly label?: string;
}

/** Names of two texts that belong together; the first pair that a file has is taken. */
const pairNames = [
  ["sentence1", "sentence2"],
  ["premise", "hypothesis"],
  ["question1", "question2"],
  ["question", "sentence"],
  ["question", "passage"],
  ["question", "context"],
  ["query", "passage"],
  ["query", "document"],
  ["sentence_a", "sentence_b"],
  ["text1", "text2"],
  ["text_a", "text_b"],
  ["text", "text_pair"],
  ["title", "description"],
  ["title", "content"],
] as const;

/** Names of a text: those of a row win over the rest, among which more than one is ambiguous. */
const textNames = ["text", "sentence"] as const;
const otherTextNames = [
  "prompt",
  "review",
  "content",
  "utterance",
  "tweet",
  "comment",
  "message",
  "document",
  "question",
  "query",
  "title",
  "headline",
  "body",
] as const;

/** Names of a label, in the same two ranks. */
const labelNames = ["label", "labels"] as const;
const otherLabelNames = [
  "label_name",
  "label_text",
  "class",
  "category",
  "target",
  "intent",
  "emotion",
  "sentiment",
  "topic",
  "score",
  "similarity",
  "rating",
  "stars",
  "gold_label",
  "is_duplicate",
] as const;

/**
 * Which columns hold the text, its pair and the label: those that are named, else by their usual names in any case.
 * A file without a label column is one without labels.
 * @throws InputError listing the columns: a named one is not there, none or several could be the text or the label.
 */
export function chooseColumns(file: string, columns: readonly string[], choice: ColumnChoice): TextColumns {
  const named = [choice.text, choice.textPair, choice.label].filter((name) => name !== undefined);
  const problems = named
    .filter((name) => !columns.includes(name))
    .map((name) => `${file} has no column "${name}"${suggestion(name, columns)}${listed(columns)}`);
  if (problems.length > 0) throw new InputError(problems);
  const rest = columns.filter((column) => !named.includes(column));
  const label = choice.label ?? single(file, rest, "label");
  const texts = rest.filter((column) => column !== label);
  return { ...chooseTexts(file, columns, texts, choice), ...(label === undefined ? {} : { label }) };
}

function chooseTexts(
  file: string,
  columns: readonly string[],
  texts: readonly string[],
  { text, textPair }: ColumnChoice,
): TextColumns {
  if (text !== undefined) return textPair === undefined ? { text } : { text, pair: textPair };
  if (textPair === undefined) {
    for (const [first, second] of pairNames) {
      const [one, two] = [find(texts, first), find(texts, second)];
      if (one !== undefined && two !== undefined) return { text: one, pair: two };
    }
  }
  const one = single(file, texts, "text");
  if (one === undefined) {
    const hint = /\.(?:csv|tsv|xlsx)\b/i.test(file)
      ? "; where the first line is a row already, say `header: false`, and the columns are column1, column2 …"
      : "";
    throw new InputError(`${file}: no column looks like the text; name it with \`text\`${listed(columns)}${hint}`);
  }
  return textPair === undefined ? { text: one } : { text: one, pair: textPair };
}

/** The usual names of a column: those that say what it is, and those that may. */
const usualNames = { text: [textNames, otherTextNames], label: [labelNames, otherLabelNames] } as const;

function single(file: string, columns: readonly string[], what: keyof typeof usualNames): string | undefined {
  const [first, others] = usualNames[what].map((names) =>
    names.map((name) => find(columns, name)).filter((column) => column !== undefined),
  );
  if (first?.[0] !== undefined || !others || others.length < 2) return first?.[0] ?? others?.[0];
  const both = what === "text" ? ", and a second one that belongs to it with `textPair`" : "";
  throw new InputError(
    `${file}: ${others.map((name) => `"${name}"`).join(", ")} could each be the ${what}; choose with \`${what}\`${both}`,
  );
}

function find(columns: readonly string[], name: string): string | undefined {
  return columns.find((column) => column.toLowerCase() === name);
}

function listed(columns: readonly string[]): string {
  const short = columns.slice(0, 20).map((column) => (column.length > 40 ? `${column.slice(0, 40)}…` : column));
  return `; its columns: ${short.join(", ")}${columns.length > 20 ? `, … (${columns.length})` : ""}`;
}
