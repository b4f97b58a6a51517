import {
  type Answer,
  type ExampleSet,
  heads,
  InputError,
  objectiveOf,
  type Prediction,
  predictions,
  type Task,
} from "@petl/core";
import { textAnswer, tokenAnswers } from "./answers.ts";
import { encodeRows, rowLimits } from "./encode-rows.ts";
import type { OpenModel } from "./model.ts";

/** A text, or two that belong together. */
export type TextInput = string | readonly [first: string, second: string];

/** The words of a text, for a model that labels words. */
export interface WordsInput {
  readonly words: readonly string[];
}

export interface PredictOptions {
  /** rows that are computed together; 32 where left out */
  readonly batch?: number;
  readonly maxLength?: number;
}

/**
 * What a model says of each text: a label, its score, and every label's score. A regression's score is its number.
 * @throws InputError for a model of tokens
 */
export async function predict(
  model: OpenModel,
  texts: readonly TextInput[],
  options: PredictOptions = {},
): Promise<readonly Answer[]> {
  const { task } = model.adapted.goal;
  if (heads[objectiveOf(task).head].of !== "text")
    throw new InputError(`predict answers for whole texts; for ${task} use ${instead(task)}`);
  const examples = texts.map((given) => {
    const [text, pair] = typeof given === "string" ? [given] : given;
    return { kind: "text" as const, text, ...(pair === undefined ? {} : { pair }) };
  });
  const answers: Answer[] = [];
  for await (const prediction of predicted(model, examples, options)) answers.push(textAnswer(prediction, model));
  return answers;
}

/** The function that answers in place of {@link predict}. */
function instead(task: Task): string {
  const head = heads[objectiveOf(task).head];
  if (head.from === "labels") return "predictWords";
  return head.goesOn ? "generate" : "evaluate";
}

/**
 * What a model says of each word of each text, by the word's first token; undefined for a word that was cut away.
 * @throws InputError for a model of whole texts
 */
export async function predictWords(
  model: OpenModel,
  texts: readonly WordsInput[],
  options: PredictOptions = {},
): Promise<readonly (readonly (Answer | undefined)[])[]> {
  const { base, adapted } = model;
  const { task } = adapted.goal;
  if (!objectiveOf(task).answer || heads[objectiveOf(task).head].of !== "tokens")
    throw new InputError(`predictWords answers for words; this model is for ${task}`);
  const { maxLength: limit } = rowLimits(adapted, base.tokenizer, options.maxLength);
  const examples = texts.map(({ words }) => ({ kind: "words" as const, words }));
  const answers: (readonly (Answer | undefined)[])[] = [];
  for await (const prediction of predicted(model, examples, options)) {
    const positions = base.tokenizer?.encodeWords(examples[answers.length]?.words ?? [], limit).firstTokens;
    answers.push(tokenAnswers(prediction, model, positions));
  }
  return answers;
}

function predicted(
  { base, adapted, phi }: OpenModel,
  examples: ExampleSet["examples"],
  { batch = 32, maxLength }: PredictOptions,
): AsyncGenerator<Prediction, void, void> {
  const set = {
    name: "the texts",
    examples,
    placeOf: (index: number) => `text ${index + 1}`,
    columns: { text: "text" },
  };
  const how = { tokenizer: base.tokenizer, ...rowLimits(adapted, base.tokenizer, maxLength) };
  return predictions(encodeRows(set, adapted, undefined, how), { engine: base.engine, adapted, phi, batch });
}
