import { InternalError } from "../../errors.ts";
import type { ChatMessage } from "../tokenizer/chat-template.ts";

/** A label as the file has it; strings that are all numbers have become numbers. */
export type Label = string | number;

/** The label of a token that counts for nothing: neither in the loss nor in a metric. */
export const ignoredLabel = -100;

/** One row that means something to a model. */
export type Example =
  | { readonly kind: "text"; readonly text: string; readonly pair?: string; readonly label?: Label }
  | {
      readonly kind: "tokens";
      readonly inputIds: Int32Array;
      readonly attentionMask?: Int32Array;
      readonly tokenTypeIds?: Int32Array;
      /** The row's label. */
      readonly label?: Label;
      /** A label for every token, `ignoredLabel` for none. */
      readonly labels?: Int32Array;
    }
  | { readonly kind: "words"; readonly words: readonly string[]; readonly labels?: readonly Label[] }
  /** a text and how it should go on */
  | { readonly kind: "completion"; readonly prompt: string; readonly completion: string }
  /** a conversation, as the tokenizer's chat template writes it */
  | { readonly kind: "messages"; readonly messages: readonly ChatMessage[] };

/** The examples of one file, in its order. */
export interface ExampleSet {
  readonly name: string;
  readonly examples: readonly Example[];
  /** Where an example stands, in words: `train.tsv line 3`. */
  placeOf(index: number): string;
  /** The columns that were read, for saying so. */
  readonly columns: { readonly text: string; readonly pair?: string; readonly label?: string };
}

/** Whether the examples have labels; they all have or none has, but that rows of tokens may be labelled in part. */
export const isLabelled = ({ examples }: ExampleSet): boolean => examples.some(hasLabel);

/** What is wrong with rows that have no label where others have one. */
export const missingLabels = (set: ExampleSet): readonly string[] =>
  isLabelled(set)
    ? set.examples.flatMap((example, at) =>
        hasLabel(example) ? [] : [`${set.placeOf(at)}: no label, where other rows have one`],
      )
    : [];

const hasLabel = (example: Example): boolean =>
  rowLabel(example) !== undefined || "labels" in example || "completion" in example || "messages" in example;

/** The label of a whole row. */
export const rowLabel = (example: Example): Label | undefined => ("label" in example ? example.label : undefined);

/** The examples of several files of one data set, one behind the other. */
export function joinSets(sets: readonly ExampleSet[]): ExampleSet {
  const [first] = sets;
  if (!first) throw new InternalError("a data set of no files");
  const places = sets.flatMap((set) => set.examples.map((_, index) => () => set.placeOf(index)));
  return {
    ...first,
    examples: sets.flatMap(({ examples }) => examples),
    placeOf: (index) => places[index]?.() ?? first.name,
  };
}
