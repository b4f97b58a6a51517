import type { ExampleSet, Label } from "../data/rows/examples.ts";
import type { LabelMap } from "../data/rows/labels.ts";
import type { TargetRule } from "../data/rows/target.ts";
import type { Value } from "../graph/value.ts";
import type { Head } from "../nn/model.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";

/** What is learnt: rows, head, loss, metrics and answers of a task. One file each, listed in objectives.ts. */
export interface Objective<Name extends string = string, Measures extends object = object> {
  /** as `--task` and run.json say it */
  readonly name: Name;
  readonly summary: string;
  /** the head that it needs of a model */
  readonly head: Head;
  /** config.json's problem_type, where Hugging Face's class tells several objectives apart by it */
  readonly problemType?: string;
  /** whether a head with so many labels is for it where config.json has no problem_type */
  impliedBy?(labels: number): boolean;
  /** PEFT's task_type; null where it has none */
  readonly peftTask: "SEQ_CLS" | "TOKEN_CLS" | "CAUSAL_LM" | null;
  /** whether the head's outputs are classes with names; else it has one output, or the vocabulary */
  readonly hasClasses: boolean;
  /** what the loss is the mean over */
  readonly items: "rows" | "tokens";
  /** what rows without labels are good for: nothing, their own tokens one behind the other, or tokens that are hidden */
  readonly unlabelled: "refused" | "next tokens" | "hidden tokens";
  /** the terms of the loss that can be asked for */
  readonly takes: { readonly classWeights: boolean; readonly labelSmoothing: boolean };
  /** The classes of rows where nobody says them. @throws InputError where there are too few; absent where there are no classes */
  learn?(set: ExampleSet): LabelMap;
  /** Where the numbers lie that a head is to give, which a new one begins at; absent where it gives no numbers of the data */
  levelOf?(set: ExampleSet): Level | undefined;
  /** How labels of rows become what the model should give; the map is empty where there are no classes. */
  targets(labels: LabelMap): TargetRule;
  /** What a batch's labels are to the graph, for a head with so many outputs. */
  labels(outputs: number): Value;
  /** The loss summed over a batch's items, a scalar. */
  loss(logits: Value, labels: Value, options: LossOptions): Value;
  /** what a model can be measured and chosen by besides the loss, the usual one first */
  readonly metrics: readonly Metric[];
  /** Begins to measure; `labels` are the classes' names in the order of their ids. */
  measure(labels: readonly Label[]): Measuring<Measures>;
  /** what `predict` says of one item's logits; absent where answers are no labels */
  answer?(logits: Float32Array, labels: readonly Label[]): Answer;
}

/** Where numbers lie: their mean, and the root of the mean square of their distances from it. */
export interface Level {
  readonly mean: number;
  readonly deviation: number;
}

/** Factors and terms of a loss. */
export interface LossOptions {
  /** ε, the share of the target that is spread over all classes; 0 for none */
  readonly labelSmoothing: number;
  /** each class's weight, in the order of the ids; all 1 where left out */
  readonly classWeights?: readonly number[] | undefined;
}

/** A number that says how good a model is. */
export interface Metric {
  /** its name in what `evaluate` prints */
  readonly name: string;
  readonly better: "higher" | "lower";
}

/** What is counted while a model is measured, batch by batch. */
export interface Measuring<Measures extends object> {
  /** Notes a batch's logits and labels; never called for words of the vocabulary, whose right answers the graph counts. */
  add(logits: HostTensor, labels: HostTensor): void;
  /** Everything that `evaluate` prints besides the number of examples and the loss. */
  result(sums: Sums): Measures;
}

/** What the graph itself summed up over all items. */
interface Sums {
  /** mean over the items */
  readonly loss: number;
  readonly items: number;
  /** items whose label no word of the vocabulary is likelier than; 0 where labels are no words */
  readonly right: number;
}

/** What a model says of a text or of a word: one label, any number of them, or a number. */
export type Answer = OneLabel | SeveralLabels | OneNumber;

export interface OneLabel {
  /** the label with the largest score */
  readonly label: Label;
  readonly score: number;
  /** every label's probability, by its text */
  readonly scores: Readonly<Record<string, number>>;
  readonly labels?: undefined;
}

export interface SeveralLabels {
  /** those whose probability is above a half */
  readonly labels: readonly Label[];
  readonly scores: Readonly<Record<string, number>>;
  readonly label?: undefined;
  readonly score?: undefined;
}

/** What a regression foretells: it has no labels. */
export interface OneNumber {
  readonly score: number;
  readonly label?: undefined;
  readonly labels?: undefined;
  readonly scores?: undefined;
}

/** Declares an objective. */
export const defineObjective = <const Name extends string, Measures extends object>(
  objective: Objective<Name, Measures>,
): Objective<Name, Measures> => objective;
