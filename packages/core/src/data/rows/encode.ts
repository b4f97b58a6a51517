import { InputError, InternalError } from "../../errors.ts";
import { atOnce, rowsInStep, type Steps } from "../tables/in-steps.ts";
import { refuseRows } from "../tables/table.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { encodeCompletion } from "./completion-rows.ts";
import { type Example, type ExampleSet, isLabelled, missingLabels } from "./examples.ts";
import { encodeMessages } from "./message-rows.ts";
import { type LabelForm, labelForm, type Target, type TargetRule, type TokenisedRow } from "./target.ts";

/** A row as a model reads it, unpadded: every array of shape [tokens]. */
export interface EncodedExample {
  readonly inputIds: Int32Array;
  readonly attentionMask?: Int32Array;
  readonly tokenTypeIds?: Int32Array;
  /** where a row is several texts: of which one each token is, counted from 1; none attends to another */
  readonly documents?: Int32Array;
  readonly target?: Target;
  /** the vector that a teacher gives the row's text */
  readonly teacher?: Float32Array;
}

/** Which tokens a causal language model's loss counts: those of completions and of the assistant's turns, or all. */
export const lossParts = ["completions", "all"] as const;
export type LossOn = (typeof lossParts)[number];

/** How rows become tokens. */
export interface EncodeOptions {
  /** Needed for rows of text and of words. */
  readonly tokenizer?: Tokenizer | undefined;
  /** Longer texts are cut; rows that come as tokens are refused, since no one can say where to cut them. */
  readonly maxLength: number;
  /** completions where left out */
  readonly lossOn?: LossOn | undefined;
  /** Rows of tokens are not cut, and refused where they are longer than this; `maxLength` where left out. */
  readonly longest?: number | undefined;
  /** whether the model puts a learned prompt in front of every row */
  readonly prompted?: boolean | undefined;
  /** Number of the model's token embeddings; larger ids are refused. */
  readonly vocabularySize?: number | undefined;
}

/**
 * The rows of a data set as a model reads them, in the same order, with targets where there is a rule for them and the
 * rows have labels.
 * @throws InputError: text for a base without a tokenizer; labels that don't fit the rule, ids out of range and rows of
 * tokens that are too long, each named by its line, ten at most.
 */
export const encodeExamples = (
  set: ExampleSet,
  given: TargetRule | undefined,
  options: EncodeOptions,
): readonly EncodedExample[] => atOnce(encodeExamplesInSteps(set, given, options));

/** The same in steps, for a set that may be large. */
export function* encodeExamplesInSteps(
  set: ExampleSet,
  given: TargetRule | undefined,
  options: EncodeOptions,
): Steps<readonly EncodedExample[]> {
  const rule = checkedRule(set, given);
  const encoded: EncodedExample[] = [];
  const problems: string[] = [];
  for (const [index, example] of set.examples.entries()) {
    if (index % rowsInStep === rowsInStep - 1) yield index;
    const encode = () => encodeExample(set, example, rule, options);
    const row = example.kind === "messages" ? atPlace(set.placeOf(index), encode) : encode();
    for (const text of tokenProblems(row, rule, options)) problems.push(`${set.placeOf(index)}: ${text}`);
    encoded.push(row);
  }
  refuseRows(problems);
  return encoded;
}

/**
 * One row of a data set after the other, as it is asked for, in place of all at once.
 * @throws InputError as `encodeExamples`: for labels now, for a row's tokens when it is asked for
 */
export function rowEncoder(
  set: ExampleSet,
  given: TargetRule | undefined,
  options: EncodeOptions,
): (row: number) => EncodedExample {
  const rule = checkedRule(set, given);
  return (row) => {
    const example = set.examples[row];
    if (!example) throw new InternalError(`row ${row} of ${set.examples.length} was asked for`);
    const encoded = encodeExample(set, example, rule, options);
    refuseRows(tokenProblems(encoded, rule, options).map((text) => `${set.placeOf(row)}: ${text}`));
    return encoded;
  };
}

/** The rule where rows have labels that it is for, and these fit it. */
function checkedRule(set: ExampleSet, given: TargetRule | undefined): TargetRule | undefined {
  const labelled = isLabelled(set);
  const rule = labelled || given?.ofOwnTokens ? given : undefined;
  if (rule && labelled) refuseLabels(set, rule);
  return rule;
}

/** Where the conversation stands that its template refuses. */
function atPlace<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${place}: ${error.message}`) : error;
  }
}

function refuseLabels(set: ExampleSet, rule: TargetRule): void {
  const isWrong = (found: LabelForm | undefined) => found !== undefined && !rule.forms.includes(found);
  const strange = set.examples.find((example) => isWrong(labelForm(example)));
  const form = strange && labelForm(strange);
  if (form !== undefined)
    throw new InputError(
      `${set.name} has ${inWords[form]}, which ${rule.name} can't use${rule.hint ? `; ${rule.hint}` : ""}`,
    );
  if (!rule.ofOwnTokens) refuseRows(missingLabels(set));
  refuseRows(rule.problems(set));
}

const inWords: Readonly<Record<LabelForm, string>> = {
  row: "one label a row",
  list: "a label for every token",
  words: "a label for every token",
  names: "any number of labels a row",
  completion: "prompts with completions",
};

function encodeExample(
  set: ExampleSet,
  example: Example,
  rule: TargetRule | undefined,
  options: EncodeOptions,
): EncodedExample {
  const { firstTokens, labels, ...encoded } = tokenised(set, example, options);
  const target = rule?.target(example, { ...encoded, labels, firstTokens, prompted: options.prompted });
  return target ? { ...encoded, target } : encoded;
}

function tokenised(set: ExampleSet, example: Example, options: EncodeOptions): TokenisedRow {
  switch (example.kind) {
    case "tokens": {
      const { inputIds, attentionMask, tokenTypeIds, labels } = example;
      return { inputIds, ...(attentionMask && { attentionMask }), ...(tokenTypeIds && { tokenTypeIds }), labels };
    }
    case "text":
      return needTokenizer(set, options).encode(example.text, example.pair, options.maxLength);
    case "completion": {
      const { labels, ...encoded } = encodeCompletion(example, needTokenizer(set, options), options.maxLength);
      return options.lossOn === "all" ? encoded : { ...encoded, labels };
    }
    case "messages":
      return encodeMessages(example, needTokenizer(set, options), options);
    case "words":
      return needTokenizer(set, options).encodeWords(example.words, options.maxLength);
  }
}

function needTokenizer(set: ExampleSet, { tokenizer }: EncodeOptions): Tokenizer {
  if (tokenizer) return tokenizer;
  throw new InputError(`the base has no tokenizer, and ${set.name} holds text; give rows with "input_ids" instead`);
}

function tokenProblems(
  { inputIds, target }: EncodedExample,
  rule: TargetRule | undefined,
  options: EncodeOptions,
): string[] {
  const { maxLength, longest = maxLength, vocabularySize } = options;
  const problems: string[] = [];
  if (inputIds.length > longest) problems.push(`${inputIds.length} input_ids; the model takes at most ${longest}`);
  const strange = vocabularySize === undefined ? undefined : inputIds.find((id) => id >= vocabularySize);
  const labels = target?.kind === "tokens" && rule?.ofVocabulary ? target.ids : new Int32Array();
  const label = vocabularySize === undefined ? undefined : labels.find((id) => id >= vocabularySize);
  if (label !== undefined) problems.push(`label ${label}; the model knows 0 to ${(vocabularySize ?? 0) - 1}`);
  if (strange !== undefined) problems.push(`input id ${strange}; the model knows 0 to ${(vocabularySize ?? 0) - 1}`);
  return problems;
}
