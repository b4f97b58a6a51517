import {
  type ExampleSet,
  InputError,
  isLabelled,
  type LossOn,
  objectiveOf,
  parseSettings,
  type TrainingEvent,
  type TrainingSettings,
  type TrainingState,
  train as trainRun,
} from "@petl/core";
import { fedRows, rowLimits, targetOf } from "./encode-rows.ts";
import { measurable } from "./evaluate.ts";
import type { OpenModel } from "./model.ts";
import { maskingOf } from "./plain-text.ts";

/** A run's settings with what a program can say beside them; each has a default, the method's own for `lr`. */
export interface TrainOptions extends Partial<TrainingSettings> {
  /** tokens after which texts are cut; as many as the model takes where left out */
  readonly maxLength?: number;
  /** which tokens of completions and conversations are learnt; completions' and the assistant's where left out */
  readonly lossOn?: LossOn;
  /** whether a language model's rows of text end with the end token; yes where left out */
  readonly endToken?: boolean;
  /** once aborted, the run ends after the step under way, with a checkpoint */
  readonly stop?: { readonly aborted: boolean };
  /** the state of an earlier run's checkpoint event, to go on from */
  readonly resume?: TrainingState;
}

/**
 * Trains a model on rows, step by step, as the events are asked for. Where there are validation rows, they are
 * evaluated at the end and every `evaluateEvery` steps. A masked LM learns from plain text by hiding tokens anew in
 * every epoch. The same arguments give the same bits.
 *
 * @throws InputError for rows that don't fit, RunError where loss or gradient are no longer finite
 */
export async function* train(
  model: OpenModel,
  data: { readonly train: ExampleSet; readonly validation?: ExampleSet },
  { maxLength, lossOn, endToken, stop, resume, ...given }: TrainOptions = {},
): AsyncGenerator<TrainingEvent, void, void> {
  const { base, adapted, phi } = model;
  const { task } = adapted.goal;
  const { unlabelled } = objectiveOf(task);
  const plain = unlabelled === "hidden tokens" && !isLabelled(data.train);
  if (unlabelled === "refused" && !isLabelled(data.train))
    throw new InputError(`${data.train.name} has no labels to learn from; name their column`);
  const settings = parseSettings({ lr: adapted.methods[0]?.rate, ...given });
  const how = { tokenizer: base.tokenizer, lossOn, endToken, ...rowLimits(adapted, base.tokenizer, maxLength) };
  yield* trainRun({
    ...{ engine: base.engine, adapted, phi, settings, stop, resume, labels: model.labels },
    examples: fedRows(data.train, adapted, targetOf({ task, labels: model.labels }), how).rows,
    validation:
      data.validation && measurable(model, data.validation, { maxLength, lossOn, endToken, seed: settings.seed }),
    masking: plain ? maskingOf(base.tokenizer, base.model.sizes.vocabulary) : undefined,
  });
}
