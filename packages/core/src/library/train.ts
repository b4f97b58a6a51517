import { type ExampleSet, isLabelled } from "../data/rows/examples.ts";
import { labelMap } from "../data/rows/labels.ts";
import { inSteps, type Pause } from "../data/tables/in-steps.ts";
import { InputError } from "../errors.ts";
import { classWeightsOf } from "../objectives/labels/class-weights.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { takeOwn } from "../peft/phi.ts";
import { readSettings, type SettingInputs } from "../settings/settings.ts";
import { planRun } from "../training/plan-run.ts";
import { parseSettings, type TrainingSettings, trainingSettings } from "../training/settings.ts";
import type { TrainingState } from "../training/state.ts";
import type { StopSignal } from "../training/stop-signal.ts";
import { type TrainingEvent, type TrainingRun, trainSteps } from "../training/train.ts";
import { isObject } from "../values.ts";
import { isRows, requireModel, requireOptions, what } from "./check.ts";
import { fedSteps, manyRows, rowLimits, targetRuleOf } from "./encode-rows.ts";
import { measurableSteps } from "./evaluate.ts";
import type { OpenModel } from "./model.ts";
import { maskingOf } from "./plain-text.ts";
import { recipeSettings, recipeTraining } from "./recipes.ts";
import { cacheSettings, tokenSettings } from "./settings.ts";
import { standardTraining } from "./standard-training.ts";

const settings = { ...trainingSettings, ...tokenSettings, ...recipeSettings };

/** What may be said of a training; each has a default, the method's own for `lr`. */
export interface TrainOptions extends SettingInputs<typeof settings & typeof cacheSettings> {
  /** once aborted, the run ends within a step: with a checkpoint, and then by throwing the signal's reason */
  readonly signal?: StopSignal | undefined;
  /** the state of an earlier run's checkpoint event, to go on from */
  readonly resume?: TrainingState | undefined;
}

/** Rows to train on, and rows to evaluate on. */
export interface TrainData {
  readonly train: ExampleSet;
  readonly validation?: ExampleSet | undefined;
}

/** A training that can begin: everything that could be refused has been. */
export interface PreparedTraining extends Omit<TrainingRun, "resume" | "signal"> {
  /** what begins at random or is cut, in words */
  readonly remarks: readonly string[];
}

/**
 * Trains a model on rows, step by step, as the events are asked for. Where there are validation rows, they are
 * evaluated at the end and every `evaluateEvery` steps. A masked LM learns from plain text by hiding tokens anew in
 * every epoch. The same arguments give the same bits.
 *
 * @throws InputError for rows that don't fit, RunError where loss or gradient are no longer finite; the signal's reason
 */
export async function* train(
  model: OpenModel,
  data: TrainData,
  options: TrainOptions = {},
): AsyncGenerator<TrainingEvent, void, void> {
  const { signal, resume, cache, cacheSize, cacheType, ...given } = requireOptions(options);
  const kept = readSettings(cacheSettings, { cache, cacheSize, cacheType });
  const prepared = await prepareTraining(model, data, given);
  const run = { ...prepared, cache: await model.base.openCache(kept) };
  for await (const event of trainSteps({ ...run, signal, resume: resume && copiedState(checkedState(resume)) }))
    yield event.kind === "checkpoint" ? { ...event, state: copiedState(event.state) } : event;
}

/**
 * Everything that a training computes with; `pause` is awaited while its rows become tokens.
 * @throws InputError for what cannot be carried out
 */
export async function prepareTraining(
  model: OpenModel,
  data: TrainData,
  options: SettingInputs<typeof settings> = {},
  pause?: Pause,
): Promise<PreparedTraining> {
  const { base, adapted, phi, labels } = requireModel(model);
  const { maxLength, lossOn, endToken, recipe, ...given } = readSettings(settings, options);
  const { train: rows, validation } = checkedData(data);
  const { task } = adapted.goal;
  const { unlabelled, takes } = objectiveOf(task);
  const plain = unlabelled === "hidden tokens" && !isLabelled(rows);
  if (unlabelled === "refused" && !isLabelled(rows))
    throw new InputError(`${rows.name} has no labels to learn from; name their column`);
  const standard = recipe
    ? recipeTraining(recipe, adapted, rows.examples.length, given)
    : standardTraining(adapted, rows, given);
  const how = { tokenizer: base.tokenizer, lossOn, endToken, ...rowLimits(adapted, base.tokenizer, maxLength) };
  const rule = targetRuleOf({ task, labels });
  const many = given.classWeights ? undefined : manyRows(rows, adapted, rule, how);
  const fed = many ?? (await inSteps(fedSteps(rows, adapted, rule, how), pause));
  const run = {
    engine: base.engine,
    openWorkers: base.openWorkers,
    adapted,
    phi: takeOwn(phi),
    labels,
    settings: parseSettings({ ...standard.settings, ...given }),
    examples: fed.rows,
    classWeights:
      given.classWeights && takes.classWeights && !("lengths" in fed.rows)
        ? classWeightsOf(given.classWeights, labelMap(labels), fed.rows)
        : undefined,
    validation:
      validation &&
      (await inSteps(
        measurableSteps(
          model,
          validation,
          { maxLength, lossOn, endToken, seed: given.seed },
          { areMany: many && true },
        ),
        pause,
      )),
    masking: plain ? maskingOf(base.tokenizer, base.model.sizes.vocabulary) : undefined,
  };
  planRun(run); // what can't be carried out is refused before anything is touched
  const remarks = [
    ...[...standard.remarks, ...newHead(model, given.seed)],
    ...[...rateRemarks(run.settings), ...fed.remarks],
  ];
  return { ...run, remarks };
}

function checkedData(data: TrainData): TrainData {
  const given: unknown = data;
  if (!isObject(given) || !isRows(given.train))
    throw new InputError(`data are ${what(given)}; they must be data as openData gives them, with rows in "train"`);
  const { validation } = data;
  if (validation !== undefined && !isRows(validation))
    throw new InputError(`validation is ${what(validation)}; it must be rows as openData gives them`);
  return { train: data.train, validation: validation?.examples.length === 0 ? undefined : validation };
}

/** A rate above any that has ever been of use is most likely a slip of the pen. */
const rateRemarks = ({ lr, optimizer }: TrainingSettings): readonly string[] =>
  optimizer === "adamw" && lr > 1
    ? [`a learning rate of ${lr} moves every trained number by about as much in a step; is it meant?`]
    : [];

const newHead = ({ adapted: { newTensors, headModules } }: OpenModel, seed: number): readonly string[] =>
  newTensors.length > 0 ? [`the head (${headModules.join(", ")}) starts at random from seed ${seed}`] : [];

/** @throws InputError for what is no state of a checkpoint event */
export function checkedState(state: TrainingState, name = "resume"): TrainingState {
  const given: unknown = state;
  const fits =
    isObject(given) &&
    ["step", "tokens"].every((counter) => Number.isInteger(given[counter])) &&
    state.values instanceof Float32Array &&
    Array.isArray(state.moments) &&
    state.moments.every((moment) => moment instanceof Float32Array);
  if (fits) return state;
  throw new InputError(`${name} is ${what(given)}; it must be the state of a checkpoint event`);
}

/** A state whose vectors are its own. */
export const copiedState = (state: TrainingState): TrainingState => ({
  ...state,
  values: state.values.slice(),
  moments: state.moments.map((moment) => moment.slice()),
  best: state.best && { ...state.best, values: state.best.values.slice() },
});
