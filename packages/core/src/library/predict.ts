import type { EncodedExample } from "../data/rows/encode.ts";
import type { ExampleSet } from "../data/rows/examples.ts";
import { atOnce, inSteps, type Pause, type Steps } from "../data/tables/in-steps.ts";
import type { Tokenizer } from "../data/tokenizer/tokenizer.ts";
import { InputError } from "../errors.ts";
import { heads } from "../nn/model.ts";
import type { Answer, OneLabel, OneNumber, SeveralLabels } from "../objectives/objective.ts";
import { objectiveOf, type Task } from "../objectives/objectives.ts";
import { count } from "../settings/setting.ts";
import { readSettings, type SettingInputs } from "../settings/settings.ts";
import { predictions } from "../training/predict.ts";
import { compileRows, type Prediction } from "../training/row-program.ts";
import { type StopSignal, throwIfStopped } from "../training/stop-signal.ts";
import { textAnswer, tokenAnswers, withBest } from "./answers.ts";
import { type Asking, asking } from "./asking.ts";
import { requireModel, requireOptions, what } from "./check.ts";
import { encodeRowsInSteps, rowLimits } from "./encode-rows.ts";
import { programKey } from "./kept-programs.ts";
import type { OpenModel } from "./model.ts";
import { requireFinite } from "./require-finite.ts";
import { batchSettings, tokenSettings } from "./settings.ts";
import { type TextInput, textExamples } from "./texts.ts";

/** The words of a text, for a model that labels words. */
export interface WordsInput {
  readonly words: readonly string[];
}

/** How many of an answer's scores are kept. */
export const topKSetting = count(undefined, "keep the K best of scores", { placeholder: "K", otherwise: "all" });

const settings = { ...batchSettings, maxLength: tokenSettings.maxLength, topK: topKSetting };

export interface PredictOptions extends SettingInputs<typeof settings> {
  /** once aborted, the work ends between two batches */
  readonly signal?: StopSignal | undefined;
}

/**
 * What a model says of each text: a label, its score, and every label's score. A regression gives its number alone, as
 * `score`. A model
 * for any number of labels gives `labels` in place of `label` and `score`; types know it where the rows in memory have
 * `labels`, or the task was said, as in `openData(file, base, { task: "multi-label" })`. Calls that come together are answered together.
 *
 * @throws InputError for a model of tokens, and for what is no text; RunError for logits that are no numbers; the signal's
 * reason
 */
export function predict(
  model: OpenModel<"multi-label">,
  texts: readonly TextInput[],
  options?: PredictOptions,
): Promise<readonly SeveralLabels[]>;
export function predict(
  model: OpenModel<"regression">,
  texts: readonly TextInput[],
  options?: PredictOptions,
): Promise<readonly OneNumber[]>;
export function predict(
  model: OpenModel,
  texts: readonly TextInput[],
  options?: PredictOptions,
): Promise<readonly OneLabel[]>;
export async function predict(
  model: OpenModel,
  texts: readonly TextInput[],
  options: PredictOptions = {},
): Promise<readonly Answer[]> {
  const { task } = requireModel(model).adapted.goal;
  const set = textExamples(texts);
  if (heads[objectiveOf(task).head].of !== "text")
    throw new InputError(`predict answers for whole texts; for ${task} use ${instead(task)}`);
  const { found, topK } = await predicted(model, set, options);
  return found.map((prediction) => withBest(textAnswer(prediction, model), topK));
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
  const { base, adapted } = requireModel(model);
  const { task } = adapted.goal;
  if (!objectiveOf(task).answer || heads[objectiveOf(task).head].of !== "tokens")
    throw new InputError(`predictWords answers for words; this model is for ${task}`);
  const set = wordExamples(texts);
  const { maxLength: limit } = rowLimits(adapted, base.tokenizer, options.maxLength);
  const { found } = await predicted(model, set, options);
  return found.map((prediction, row) => {
    const positions = base.tokenizer?.encodeWords(texts[row]?.words ?? [], limit).firstTokens;
    return tokenAnswers(prediction, model, positions);
  });
}

function wordExamples(texts: readonly WordsInput[]): ExampleSet {
  const list: unknown = texts;
  const fits = Array.isArray(list) && texts.every((each) => Array.isArray(each?.words));
  if (!fits) throw new InputError(`texts are ${what(list)}; they must be a list, as in [{ words: ["a", "film"] }]`);
  const examples = texts.map(({ words }) => ({ kind: "words" as const, words }));
  return { name: "the texts", examples, placeOf: (index) => `text ${index + 1}`, columns: { text: "words" } };
}

async function predicted(
  model: OpenModel,
  set: ExampleSet,
  options: PredictOptions,
): Promise<{ readonly found: readonly Prediction[]; readonly topK: number | undefined }> {
  const { signal, ...given } = requireOptions(options);
  throwIfStopped(signal);
  const { batch, maxLength, topK } = readSettings(settings, given);
  const { rows } = asRead(model, set, maxLength);
  const found = await logitsOf(model).ask(rows, { batch, signal });
  requireFinite(
    found.map(({ logits }) => logits),
    "logit",
  );
  return { found, topK };
}

/** Asks a model for logits. */
export function logitsOf({ base, adapted, phi }: OpenModel): Asking<Prediction> {
  const compile = () => compileRows(base.engine, adapted, "logits");
  return base.asked.logits(phi, () =>
    asking((rows) =>
      base.programs.rows.use(programKey("logits", adapted), compile, (program) => program.run(phi, rows)),
    ),
  );
}

/** Rows as a model reads them. */
export interface RowsRead {
  readonly rows: readonly EncodedExample[];
  /** undefined where the rows came as tokens */
  readonly tokenizer: Tokenizer | undefined;
  /** tokens after which texts were cut */
  readonly maxLength: number;
}

/**
 * The rows of a data set as a model reads them, to be asked for. Rows that are tokenised already need no tokenizer.
 * @throws InputError naming the line: text for a base without a tokenizer, ids that the model does not know, long rows
 */
export const asRead = (model: OpenModel, set: ExampleSet, asked?: number): RowsRead =>
  atOnce(readSteps(model, set, asked));

/** The same in steps, between which `pause` is awaited: for a set that may be large. */
export const asReadInSteps = (
  model: OpenModel,
  set: ExampleSet,
  { maxLength, pause }: { readonly maxLength?: number | undefined; readonly pause: Pause },
): Promise<RowsRead> => inSteps(readSteps(model, set, maxLength), pause);

function* readSteps({ adapted, base }: OpenModel, set: ExampleSet, asked: number | undefined): Steps<RowsRead> {
  const tokenizer = set.examples[0]?.kind === "tokens" ? undefined : base.tokenizer;
  const limits = rowLimits(adapted, tokenizer, asked);
  return { rows: yield* encodeRowsInSteps(set, adapted, undefined, { tokenizer, ...limits }), tokenizer, ...limits };
}

/** The logits of any number of rows, in their order; only a window of them is held at a time. */
export async function* predictionsOf(
  { base, adapted, phi }: OpenModel,
  rows: readonly EncodedExample[],
  options: { readonly batch: number; readonly signal?: StopSignal | undefined },
): AsyncGenerator<Prediction, void, void> {
  const compile = () => compileRows(base.engine, adapted, "logits");
  const { compiled: program, giveBack } = await base.programs.rows.borrow(programKey("logits", adapted), compile);
  try {
    yield* predictions(rows, { program, adapted, phi, ...options });
  } finally {
    await giveBack();
  }
}
