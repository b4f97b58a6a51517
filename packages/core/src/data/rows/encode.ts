import { InputError } from "../../errors.ts";
import { refuseRows } from "../tables/table.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { isNumber } from "./cells.ts";
import { encodeCompletion } from "./completion-rows.ts";
import {
  type Example,
  type ExampleSet,
  ignoredLabel,
  isLabelled,
  type Label,
  missingLabels,
  rowLabel,
} from "./examples.ts";
import { checkLabels, type LabelMap } from "./labels.ts";
import { encodeMessages } from "./message-rows.ts";
import { nextTokens } from "./next-tokens.ts";

/** What a row is trained to give. */
export type Target =
  | { readonly kind: "class"; readonly id: number }
  | { readonly kind: "value"; readonly value: number }
  /** A class for every token, `ignoredLabel` for none. */
  | { readonly kind: "tokens"; readonly ids: Int32Array };

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

/** What labels mean: classes of a row, a number, classes of tokens, or nothing (prediction). */
export type TargetKind =
  | { readonly task: "classification" | "token-classification"; readonly labels: LabelMap }
  | { readonly task: "regression" }
  /** every token's label is the id of the token that stands there, -100 where none is asked for */
  | { readonly task: "masked-lm" }
  /** the same, but each token is foretold by those in front of it; rows without labels are their own */
  | { readonly task: "causal-lm" }
  | { readonly task: "none" };

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
  /** Number of the model's token embeddings; larger ids are refused. */
  readonly vocabularySize?: number | undefined;
}

/**
 * The rows of a data set as a model reads them, in the same order, with targets where the rows have labels. Of a word
 * only the first token has the word's class, the others are ignored, as transformers' token classification does.
 * @throws InputError: text for a base without a tokenizer; labels that don't fit the task, ids out of range and rows of
 * tokens that are too long, each named by its line, ten at most.
 */
export function encodeExamples(set: ExampleSet, kind: TargetKind, options: EncodeOptions): EncodedExample[] {
  const target = isLabelled(set) || kind.task === "causal-lm" ? kind : ({ task: "none" } as const);
  if (target.task !== "none" && isLabelled(set)) refuseLabels(set, target);
  const encoded = set.examples.map((example, index) =>
    example.kind === "messages"
      ? atPlace(set.placeOf(index), () => encodeExample(set, example, target, options))
      : encodeExample(set, example, target, options),
  );
  refuseRows(
    encoded.flatMap((row, index) =>
      tokenProblems(row, target, options).map((text) => `${set.placeOf(index)}: ${text}`),
    ),
  );
  return encoded;
}

/** Where the conversation stands that its template refuses. */
function atPlace<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${place}: ${error.message}`) : error;
  }
}

function refuseLabels(set: ExampleSet, kind: Exclude<TargetKind, { task: "none" }>): void {
  const completions = set.examples.some(({ kind }) => kind === "completion" || kind === "messages");
  const perToken = set.examples.some((example) => "labels" in example);
  const fits = completions ? kind.task === "causal-lm" : perToken === labelsTokens.includes(kind.task);
  if (!fits) {
    const has = completions ? "prompts with completions" : perToken ? "a label for every token" : "one label a row";
    throw new InputError(`${set.name} has ${has}, which ${kind.task} can't use`);
  }
  if (kind.task !== "causal-lm") refuseRows(missingLabels(set));
  if (kind.task === "regression") refuseNames(set);
  else if ("labels" in kind) checkLabels(set, kind.labels);
}

const labelsTokens: readonly TargetKind["task"][] = ["token-classification", "masked-lm", "causal-lm"];

function refuseNames(set: ExampleSet): void {
  const problems = set.examples.flatMap((example, index) => {
    const label = rowLabel(example);
    if (isNumber(label)) return [];
    const comma = typeof label === "string" && /^[+-]?\d+,\d+$/.test(label) ? "; write its comma as a point" : "";
    return [`${set.placeOf(index)}: label ${JSON.stringify(label)} is no number, which regression needs${comma}`];
  });
  refuseRows(problems);
}

function encodeExample(set: ExampleSet, example: Example, kind: TargetKind, options: EncodeOptions): EncodedExample {
  switch (example.kind) {
    case "tokens": {
      const { inputIds, attentionMask, tokenTypeIds } = example;
      const masks = { ...(attentionMask && { attentionMask }), ...(tokenTypeIds && { tokenTypeIds }) };
      return { inputIds, ...masks, ...withTarget(rowTarget(example, kind)) };
    }
    case "text": {
      const encoded = needTokenizer(set, options).encode(example.text, example.pair, options.maxLength);
      const target = kind.task === "causal-lm" ? nextTokens(encoded) : rowTarget(example, kind);
      return { ...encoded, ...withTarget(target) };
    }
    case "completion": {
      const { labels, ...encoded } = encodeCompletion(example, needTokenizer(set, options), options.maxLength);
      const asked = options.lossOn === "all" ? {} : { labels };
      return kind.task === "causal-lm" ? { ...encoded, target: nextTokens({ ...encoded, ...asked }) } : encoded;
    }
    case "messages": {
      const { labels, ...encoded } = encodeMessages(example, needTokenizer(set, options), options);
      return kind.task === "causal-lm" ? { ...encoded, target: nextTokens({ ...encoded, labels }) } : encoded;
    }
    case "words": {
      const { firstTokens, ...encoded } = needTokenizer(set, options).encodeWords(example.words, options.maxLength);
      const { labels } = example;
      if (kind.task !== "token-classification" || !labels) return encoded;
      const ids = new Int32Array(encoded.inputIds.length).fill(ignoredLabel);
      for (const [word, token] of firstTokens.entries()) if (token >= 0) ids[token] = kind.labels.idOf(labels[word]!)!;
      return { ...encoded, target: { kind: "tokens", ids } };
    }
  }
}

function needTokenizer(set: ExampleSet, { tokenizer }: EncodeOptions): Tokenizer {
  if (tokenizer) return tokenizer;
  throw new InputError(`the base has no tokenizer, and ${set.name} holds text; give rows with "input_ids" instead`);
}

function rowTarget(example: Extract<Example, { label?: Label }>, kind: TargetKind): Target | undefined {
  if (kind.task === "none") return undefined;
  if (kind.task === "causal-lm" && example.kind === "tokens") return nextTokens(example);
  if (example.kind === "tokens" && example.labels) return { kind: "tokens", ids: example.labels };
  if (kind.task === "regression") return { kind: "value", value: Number(example.label) };
  if (!("labels" in kind) || example.label === undefined) return undefined;
  return { kind: "class", id: kind.labels.idOf(example.label)! };
}

function withTarget(target: Target | undefined): { target?: Target } {
  return target ? { target } : {};
}

function tokenProblems({ inputIds, target }: EncodedExample, kind: TargetKind, options: EncodeOptions): string[] {
  const { maxLength, longest = maxLength, vocabularySize } = options;
  const problems: string[] = [];
  if (inputIds.length > longest) problems.push(`${inputIds.length} input_ids; the model takes at most ${longest}`);
  const strange = vocabularySize === undefined ? undefined : inputIds.find((id) => id >= vocabularySize);
  const labels = target?.kind === "tokens" && !("labels" in kind) ? target.ids : new Int32Array();
  const label = vocabularySize === undefined ? undefined : labels.find((id) => id >= vocabularySize);
  if (label !== undefined) problems.push(`label ${label}; the model knows 0 to ${(vocabularySize ?? 0) - 1}`);
  if (strange !== undefined) problems.push(`input id ${strange}; the model knows 0 to ${(vocabularySize ?? 0) - 1}`);
  return problems;
}
