import { collate, type NumberedBatch } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { type ExampleSet, isLabelled } from "../data/rows/examples.ts";
import { labelMap } from "../data/rows/labels.ts";
import { InputError, refuse } from "../errors.ts";
import { heads } from "../nn/model.ts";
import { classWeightsOf, weightOf } from "../objectives/labels/class-weights.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { lengthOf } from "../peft/phi.ts";
import { readSettings, type SettingInputs } from "../settings/settings.ts";
import { random } from "../tensor/random.ts";
import { scoresAtOnce } from "../training/long-rows.ts";
import { compileRowLosses } from "../training/row-losses.ts";
import { parseSettings, type TrainingSettings, trainingSettings } from "../training/settings.ts";
import { compileTellingStep, type TrainingStep } from "../training/step.ts";
import { requireOptions } from "./check.ts";
import { fedRows, rowLimits, targetRuleOf } from "./encode-rows.ts";
import type { OpenModel } from "./model.ts";
import { type Rows, readGiven } from "./rows.ts";
import { tokenSettings } from "./settings.ts";

const settings = { ...trainingSettings, ...tokenSettings };

/** What may be said of a trainer: as of a training; how long it goes on and how its rate moves is the caller's affair. */
export type TrainerOptions = SettingInputs<typeof settings>;

/** What rows cost the model as it is. */
export interface RowsLoss {
  /** mean over the rows' items, as a training tells it */
  readonly loss: number;
  /** of each row that teaches something, in their order: the mean over its items */
  readonly losses: readonly number[];
}

/** The mean loss of what was computed since the last step, and its gradient. */
export interface WaitingGradient {
  readonly gradient: Float32Array;
  readonly loss: number;
  /** how many items it is the mean over */
  readonly items: number;
}

/** How a trainer reads rows and weighs what they cost. */
export interface RowReading {
  readonly settings: TrainingSettings;
  readonly classWeights: readonly number[] | undefined;
  encode(rows: Rows | ExampleSet): Promise<readonly EncodedExample[]>;
}

/** @throws InputError for settings that don't fit the model */
export function rowReading({ base, adapted, labels }: OpenModel, options: TrainerOptions): RowReading {
  const { maxLength, lossOn, endToken, ...given } = readSettings(settings, requireOptions(options));
  const { task } = adapted.goal;
  const rate = adapted.methods[0]?.rate;
  const chosen = parseSettings({ ...(rate !== undefined && { lr: rate }), ...given });
  const weighs = given.classWeights;
  refuse([
    ...(chosen.pack === undefined ? [] : ["a trainer packs no rows; leave pack out"]),
    ...(weighs === "balanced" ? ["a trainer does not know all rows; give classWeights as numbers by the classes"] : []),
    ...adapted.methods.flatMap((use) => use.runProblems?.(chosen.steps ?? 1) ?? []),
  ]);
  const limits = { tokenizer: base.tokenizer, lossOn, endToken, ...rowLimits(adapted, base.tokenizer, maxLength) };
  return {
    settings: chosen,
    classWeights: weighs && classWeightsOf(weighs, labelMap(labels), []),
    async encode(rows) {
      const set = await readGiven(rows);
      if (objectiveOf(task).unlabelled !== "next tokens" && !isLabelled(set))
        throw new InputError(`${set.name} have no labels to learn from`);
      return fedRows(set, adapted, targetRuleOf({ task, labels }), limits).rows;
    },
  };
}

/** Computes losses and gradients of rows, and keeps the gradient of the mean over all of them until it is taken. */
export interface GradientWork {
  /** tokens that were not padding, so far */
  readonly tokens: () => number;
  forwardBackward(rows: Rows | ExampleSet): Promise<RowsLoss>;
  /** What waits, which waits no longer; undefined where nothing does. */
  take(): WaitingGradient | undefined;
  release(): Promise<void>;
}

/** Compiles a model's step for rows as they come. */
export async function gradientWork({ base, adapted, phi }: OpenModel, how: RowReading): Promise<GradientWork> {
  const { baseDropout: dropout, labelSmoothing, seed } = how.settings;
  const options = { dropout, labelSmoothing, classWeights: how.classWeights };
  const usual = await compileTellingStep(base.engine, adapted, options);
  let pieces: Promise<TrainingStep> | undefined;
  const stepFor = ({ input_ids }: NumberedBatch): TrainingStep | Promise<TrainingStep> => {
    const [rows = 1, tokens = 1] = input_ids.shape;
    const atOnce = scoresAtOnce(adapted, { batch: rows, tokens }, base.model.sizes.layers);
    if (atOnce === undefined) return usual;
    pieces ??= compileTellingStep(base.engine, adapted, { ...options, scoresAtOnce: atOnce });
    return pieces;
  };
  // the logits of a language model are never there at once: each of its rows is a batch of its own
  const apart = heads[objectiveOf(adapted.goal.task).head].from === "vocabulary";
  const rowLosses = apart ? undefined : await compileRowLosses(base.engine, adapted, options);
  let lent: Float32Array = new Float32Array(lengthOf(phi.layout));
  let [calls, tokens] = [0, 0];
  let waiting: WaitingGradient | undefined;
  const batchOf = (rows: readonly EncodedExample[]) => collate(rows, base.model.sizes.padId);
  const itemsOf = ({ items, labels }: NumberedBatch) => (how.classWeights ? weightOf(labels, how.classWeights) : items);
  const computed = async (batch: NumberedBatch) => {
    const items = itemsOf(batch);
    const noise = random(seed, "dropout of a trainer", calls++).uint32();
    const scale = { loss: items > 0 ? 1 / items : 1, teacher: 0, penalty: 1 };
    const step = await stepFor(batch);
    const found = await step.run(batch, phi, scale, noise, lent);
    lent = found.gradient;
    waiting = meanOf(waiting, { gradient: found.gradient, loss: found.loss + found.penalty, items });
    for (const bit of batch.attention_mask.data) tokens += Number(bit);
    return found;
  };
  return {
    tokens: () => tokens,
    async forwardBackward(rows) {
      const encoded = await how.encode(rows);
      const whole = batchOf(encoded);
      const each = encoded.map((row) => batchOf([row]));
      if (rowLosses) {
        const { loss, logits } = await computed(whole);
        const sums = logits && whole.labels ? await rowLosses.of(logits, whole.labels) : [];
        return { loss, losses: sums.map((rowSum, row) => rowSum / itemsOf(each[row] ?? whole)) };
      }
      const losses: number[] = [];
      for (const batch of each) losses.push((await computed(batch)).loss);
      const sum = losses.reduce((all, loss, row) => all + loss * itemsOf(each[row] ?? whole), 0);
      return { loss: sum / itemsOf(whole), losses };
    },
    take() {
      const taken = waiting;
      waiting = undefined;
      return taken;
    },
    async release() {
      await usual.release();
      await (await pieces)?.release();
      await rowLosses?.release();
    },
  };
}

/** The mean over what waited and what came; a first one is kept to the bit. */
function meanOf(before: WaitingGradient | undefined, come: WaitingGradient): WaitingGradient {
  if (!before) return { ...come, gradient: come.gradient.slice() };
  const items = before.items + come.items;
  const [old, added] = [before.items / items, come.items / items];
  const { gradient } = before;
  for (let at = 0; at < gradient.length; at++) gradient[at] = gradient[at]! * old + come.gradient[at]! * added;
  return { gradient, loss: before.loss * old + come.loss * added, items };
}
