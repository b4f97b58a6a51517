import { InputError, InternalError } from "../../errors.ts";
import { random } from "../../tensor/random.ts";
import { refuseRows } from "../tables/table.ts";
import type { ChatMessage } from "../tokenizer/chat-template.ts";

/** A label as its row has it: cells of CSV are texts; JSON, Parquet and workbooks know numbers and booleans too. */
export type Label = string | number | boolean;

/** The label of a token that counts for nothing: neither in the loss nor in a metric. */
export const ignoredLabel = -100;

/** One row that means something to a model. */
export type Example =
  | {
      readonly kind: "text";
      readonly text: string;
      readonly pair?: string | undefined;
      readonly label?: Label;
      /** Any number of labels of the row. */
      readonly labels?: readonly Label[];
    }
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
  | {
      readonly kind: "messages";
      readonly messages: readonly ChatMessage[];
      /** the functions that the assistant may call */
      readonly tools?: readonly unknown[];
      /** the number of the first message that may be learnt, from 0; the first of all where left out */
      readonly learntFrom?: number;
    };

/** The examples of one file, or of several that are joined, in their order. */
export interface ExampleSet {
  readonly name: string;
  /** the files that were joined, each with the columns that were read */
  readonly files?: readonly Pick<ExampleSet, "name" | "columns">[];
  readonly examples: readonly Example[];
  /** Where an example stands, in words: `train.tsv line 3`. */
  placeOf(index: number): string;
  /** the classes in their order, where the files say them */
  readonly classes?: readonly string[];
  /** what the files' readers know of them that a user should, in words */
  readonly remarks?: readonly string[];
  /** The columns that were read, for saying so. */
  readonly columns: {
    readonly text: string;
    readonly pair?: string;
    readonly label?: string;
    /** whether the user named the text's column */
    readonly named?: boolean;
    /** the columns that are not read */
    readonly leftOut?: readonly string[];
    /** what is read beside these: the answer to a prompt, tools, a mask */
    readonly more?: readonly string[];
  };
}

/** Whether the examples have labels; they all have or none has, but that rows of tokens may be labelled in part. */
export const isLabelled = ({ examples }: ExampleSet): boolean => examples.some(hasLabel);

/** What is wrong with rows that have no label where others have one. */
export function missingLabels(set: ExampleSet): readonly string[] {
  const missing: number[] = [];
  for (const [at, example] of set.examples.entries()) if (!hasLabel(example)) missing.push(at);
  if (missing.length === set.examples.length) return [];
  return missing.map((at) => `${set.placeOf(at)}: no label, where other rows have one`);
}

const hasLabel = (example: Example): boolean =>
  rowLabel(example) !== undefined || "labels" in example || "completion" in example || "messages" in example;

/** The label of a whole row. */
export const rowLabel = (example: Example): Label | undefined => ("label" in example ? example.label : undefined);

/**
 * The examples of several files of one data set, one behind the other. What is asked of all rows is asked here, so that
 * it never depends on which file a row stands in: labels that are all -1 (Hugging Face's hidden test sets) are none.
 * @throws InputError: files of different kinds of rows; rows without a label where others have one, each by its line
 */
export function joinSets(sets: readonly ExampleSet[]): ExampleSet {
  const [first] = sets;
  if (!first) throw new InternalError("a data set of no files");
  refuseMixture(sets);
  const joined = sets.length === 1 ? first : sideBySide(first, sets);
  const set = withoutHidden(joined);
  const partly = set.examples.some((example) => example.kind === "tokens" && example.labels);
  if (!partly) refuseRows(missingLabels(set)); // for a causal language model rows of tokens are their own labels
  return set;
}

/**
 * A set whose rows come `weight` times: each as often as the whole part says, and the fraction's share, drawn, once more.
 * All copies of a row are one and the same example, by which they are held out together.
 */
export function weightedSet(set: ExampleSet, weight: number): ExampleSet {
  if (weight === 1) return set;
  const all = [...set.examples.keys()];
  const more = Math.round((weight % 1) * all.length);
  const drawn = random(0, "rows of a weighted file")
    .shuffle([...all])
    .slice(0, more);
  const whole = Array.from({ length: Math.floor(weight) }, () => all).flat();
  const places = [...whole, ...drawn.sort((a, b) => a - b)];
  return {
    ...set,
    examples: places.flatMap((place) => set.examples[place] ?? []),
    placeOf: (index) => set.placeOf(places[index] ?? index),
  };
}

const joinedName = ([first, second, ...others]: readonly string[]): string =>
  others.length === 0 ? `${first} and ${second}` : `${first} and ${1 + others.length} other files`;

function sideBySide(first: ExampleSet, sets: readonly ExampleSet[]): ExampleSet {
  const starts: number[] = [];
  let length = 0;
  for (const { examples } of sets) {
    starts.push(length);
    length += examples.length;
  }
  const { classes, ...rest } = first;
  const remarks = sets.flatMap((set) => set.remarks ?? []);
  const sameClasses = sets.every((set) => String(set.classes) === String(classes));
  return {
    ...rest,
    name: joinedName(sets.map(({ name }) => name)),
    files: sets.map(({ name, columns }) => ({ name, columns })),
    ...(classes && sameClasses && { classes }),
    ...(remarks.length > 0 && { remarks }),
    examples: sets.flatMap(({ examples }) => examples),
    placeOf: (index) => {
      const at = starts.findLastIndex((start) => start <= index);
      return sets[at]?.placeOf(index - (starts[at] ?? 0)) ?? first.name;
    },
  };
}

function refuseMixture(sets: readonly ExampleSet[]): void {
  const kinds = sets.flatMap(({ name, examples: [example] }) => (example ? [[name, example.kind] as const] : []));
  if (new Set(kinds.map(([, kind]) => kind)).size < 2) return;
  const held = kinds.map(([name, kind]) => `${name} holds rows of ${kind}`).join(", ");
  throw new InputError(`the files of one data set hold rows of one kind: ${held}`);
}

function withoutHidden(set: ExampleSet): ExampleSet {
  const first = set.examples.find((example) => rowLabel(example) !== undefined);
  const isHidden = (example: Example) => rowLabel(example) === undefined || String(rowLabel(example)) === "-1";
  if (!first || !set.examples.every(isHidden)) return set;
  const bare = new Map(set.examples.map((example) => [example, withoutLabel(example)])); // copies stay one example
  return { ...set, examples: set.examples.map((example) => bare.get(example) ?? example) };
}

function withoutLabel(example: Example): Example {
  if (!("label" in example)) return example;
  if (example.kind === "text") return { kind: "text", text: example.text, pair: example.pair };
  const { label: _, ...rest } = example;
  return rest;
}
