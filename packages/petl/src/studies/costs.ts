import {
  type AdaptedModel,
  adapt,
  type Base,
  countParameters,
  type ExampleSet,
  type Fit,
  InputError,
  isLanguageModel,
  isWaiting,
  methods,
  type PlannedCell,
  placesOfBase,
  trainingMemory,
} from "@petl/core";
import { slightUse } from "./bench.ts";
import type { PreparedStudy } from "./prepare-study.ts";
import { rowLines } from "./row-files.ts";

/** What cells are likely to cost one core. */
interface Costs {
  secondsOf(cells: readonly PlannedCell[]): number;
  /** bytes that the largest of the trainings takes */
  memoryOf(cells: readonly PlannedCell[]): number;
}

/** products and sums a second that one core of an ordinary machine makes of small batches */
const speed = 4e10;
/** characters of a row's line for each token of it, in English */
const characters = 5;
/** products and sums for each m · n · min(m, n) of the singular values of an m × n matrix, and of its foreign directions */
const [spectrumProducts, intruderProducts] = [200, 400];

/** The costs of a study's cells: what is trained and scored is counted in products, so that only ratios are certain. */
export function costsOf({ study, context, base, sets }: PreparedStudy): Costs {
  const goal = { task: context.task, labels: Math.max(1, context.labels.length) };
  const adapted = adaptedOnce(base, goal);
  const rowTokens = meanTokens(sets.train);
  const tokensOf = (set: ExampleSet) => set.examples.length * meanTokens(set);
  const measured = (tokensOf(sets.score) + (sets.source ? tokensOf(sets.source) : 0)) * forward(adapted());
  const trainingOf = ({ fit, steps }: Training) => steps * fit.batch * rowTokens * productsOf(adapted(fit));
  return {
    secondsOf: (cells) =>
      (distinct(cells).reduce((sum, training) => sum + trainingOf(training), 0) +
        cells.reduce((sum, { cell }) => sum + (study.scoresNothing ? spectrumOf(adapted(), cell) : measured), 0)) /
      speed,
    memoryOf: (cells) =>
      Math.max(
        0,
        ...distinct(cells).map(
          ({ fit }) =>
            trainingMemory(adapted(fit), { batch: fit.batch, tokens: Math.ceil(2 * rowTokens), accumulate: 1 }).total,
        ),
      ),
  };
}

interface Training {
  readonly fit: Fit;
  readonly steps: number;
}

/** Every training of some cells once. */
function distinct(planned: readonly PlannedCell[]): readonly Training[] {
  const trainings = new Map<string, Training>();
  for (const { cell, fit, seed, steps } of planned) {
    if (fit === null) continue;
    const key = `${JSON.stringify(isWaiting(fit) ? cell : fit)} ${seed}`;
    const most = Math.max(trainings.get(key)?.steps ?? 0, steps);
    trainings.set(key, { fit: isWaiting(fit) ? fit.waits : fit, steps: most });
  }
  return [...trainings.values()];
}

/** The base adapted by each method with each of its options, once; slightly where no training is given. */
function adaptedOnce(base: Base, goal: Parameters<typeof adapt>[2]) {
  const models = new Map<string, AdaptedModel>();
  return (fit?: Fit): AdaptedModel => {
    const key = fit ? JSON.stringify([fit.method, fit.options]) : "";
    const use = fit ? methods.find(({ name }) => name === fit.method)?.use(fit.options) : slightUse;
    if (!use) throw new InputError(`there is no method "${fit?.method}"`);
    const model = models.get(key) ?? adapt(base, [use], goal);
    models.set(key, model);
    return model;
  };
}

/** Products and sums of one token's way through the model: two for each weight of a layer and of a language model's head. */
function forward(model: AdaptedModel): number {
  const { vocabulary, hidden } = model.base.model.sizes;
  const head = isLanguageModel(model.goal.task) ? vocabulary * hidden : 0;
  return 2 * (placesOfBase(model).layers.reduce((sum, size) => sum + size, 0) + head);
}

/** Those of a training step: there, back to the inputs, and to the gradients of what is trained. */
const productsOf = (model: AdaptedModel): number => 2 * forward(model) + 2 * countParameters(model).trained_parameters;

/** Those of the spectrum of a cell's matrix. */
function spectrumOf({ modelTensors }: AdaptedModel, { site, matrix, rank }: PlannedCell["cell"]): number {
  const [rows = 0, columns = 0] = modelTensors.find(({ name }) => name === `${site}.weight`)?.shape ?? [];
  const size = rows * columns * Math.min(rows, columns);
  if (matrix === "update" && rank !== undefined) return 0; // of two thin factors
  return size * (spectrumProducts + (matrix === "tuned" ? intruderProducts : 0));
}

const meanTokens = (set: ExampleSet): number =>
  2 + rowLines(set).length / characters / Math.max(1, set.examples.length);
