import type { Example, ExampleSet } from "./examples.ts";

/** What a row is trained to give. */
export type Target =
  | { readonly kind: "class"; readonly id: number }
  | { readonly kind: "value"; readonly value: number }
  /** any number of classes: 1 for each that the row has, 0 for the others */
  | { readonly kind: "classes"; readonly has: Float32Array }
  /** A class for every token, `ignoredLabel` for none; one more in front, where the end of a prompt has one. */
  | { readonly kind: "tokens"; readonly ids: Int32Array };

/** How rows carry labels: one for the row, a list of numbers, one for each word, names, or the text to be given. */
export type LabelForm = "row" | "list" | "words" | "names" | "completion";

/** A row's tokens, and what its form says of their labels. */
export interface TokenisedRow {
  readonly inputIds: Int32Array;
  readonly attentionMask?: Int32Array;
  readonly tokenTypeIds?: Int32Array;
  /** token ids, or classes, of every token, -100 where none is asked for; absent where the row doesn't say */
  readonly labels?: Int32Array | undefined;
  /** of words: the position of each word's first token, -1 where it was cut away */
  readonly firstTokens?: Iterable<number> | undefined;
  /** whether a learned prompt stands in front of the row */
  readonly prompted?: boolean | undefined;
}

/** How the labels of rows become targets. */
export interface TargetRule {
  /** in messages: what can't use labels of another form */
  readonly name: string;
  readonly forms: readonly LabelForm[];
  /** what to do where they have another form */
  readonly hint?: string;
  /** whether rows without labels have targets: their own tokens */
  readonly ofOwnTokens?: boolean;
  /** whether labels are ids of the vocabulary */
  readonly ofVocabulary?: boolean;
  /** What is wrong with the labels of rows, one line for each row. */
  problems(set: ExampleSet): readonly string[];
  /** undefined where the row has no label */
  target(example: Example, row: TokenisedRow): Target | undefined;
}

/** Which rows have another number of labels than tokens, for what needs one of every token. */
export const unevenLabels = ({ examples, placeOf }: ExampleSet): readonly string[] =>
  examples.flatMap((example, index) => {
    if (example.kind !== "tokens" || !example.labels || example.labels.length === example.inputIds.length) return [];
    return [`${placeOf(index)}: ${example.labels.length} labels for ${example.inputIds.length} input_ids`];
  });

/** How a row carries its labels; undefined where it has none. */
export function labelForm(example: Example): LabelForm | undefined {
  switch (example.kind) {
    case "completion":
    case "messages":
      return "completion";
    case "words":
      return example.labels && "words";
    case "tokens":
      if (example.labels) return "list";
      return example.label === undefined ? undefined : "row";
    case "text":
      if (example.labels) return "names";
      return example.label === undefined ? undefined : "row";
  }
}
