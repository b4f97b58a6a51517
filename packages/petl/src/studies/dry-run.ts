import { availableParallelism } from "node:os";
import {
  type AdaptedModel,
  adapt,
  type Base,
  type Cell,
  countParameters,
  type ExampleSet,
  type Fit,
  InputError,
  methods,
  type PlannedCell,
  placesOfBase,
  readBase,
  trainingMemory,
} from "@petl/core";
import { directory } from "../disk/files.ts";
import { slightUse } from "./bench.ts";
import { prepareStudy } from "./prepare-study.ts";
import { rowLines } from "./row-files.ts";
import type { StudyOptions } from "./study.ts";

/** A study's grid, with what it is likely to cost. */
interface DryRun {
  readonly cells: readonly { readonly cell: Cell; readonly seed: number; readonly steps: number }[];
  readonly estimate: { readonly seconds: number; readonly memory_bytes: number };
}

/** products and sums a second that one core of an ordinary machine makes of small batches */
const speed = 4e10;
/** characters of a row's line for each token of it, in English */
const characters = 5;

/** Plans a study and trains nothing. */
export async function dryRun(name: string, options: StudyOptions): Promise<DryRun> {
  const { study, setup, context, folder, sets } = await prepareStudy(name, options);
  const base = await readBase(directory(folder));
  const planned = study.plan(setup, []);
  const goal = { task: context.task, labels: Math.max(1, context.labels.length) };
  const adapted = adaptedOnce(base, goal);
  const jobs = options.jobs ?? availableParallelism();
  const rowTokens = meanTokens(sets.train);
  const trainings = distinct(planned).map(({ fit, steps }) => {
    const model = adapted(fit);
    return {
      seconds: (steps * fit.batch * rowTokens * productsOf(model)) / speed,
      memory: trainingMemory(model, { batch: fit.batch, tokens: Math.ceil(2 * rowTokens), accumulate: 1 }).total,
    };
  });
  const scored = (planned.length * sets.score.examples.length * meanTokens(sets.score) * forward(adapted())) / speed;
  const seconds = trainings.reduce((sum, each) => sum + each.seconds, scored) / jobs;
  return {
    cells: planned.map(({ cell, seed, steps }) => ({ cell, seed, steps })),
    estimate: { seconds, memory_bytes: Math.round(jobs * Math.max(0, ...trainings.map(({ memory }) => memory))) },
  };
}

/** Every training of a grid once. One whose rate other cells decide costs what the same method's others cost. */
function distinct(planned: readonly PlannedCell[]) {
  const isFit = (fit: PlannedCell["fit"]): fit is Fit => fit !== null && fit !== "waits";
  const known = planned.map(({ fit }) => fit).filter(isFit);
  const trainings = new Map<string, { fit: Fit; steps: number }>();
  for (const { cell, fit, seed, steps } of planned) {
    const like = fit === "waits" ? known.find(({ method }) => method === cell.method) : fit;
    if (!like) continue;
    const key = `${JSON.stringify(fit === "waits" ? cell : fit)} ${seed}`;
    trainings.set(key, { fit: like, steps: Math.max(trainings.get(key)?.steps ?? 0, steps) });
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

/** Products and sums of one token's way through the layers: two for each weight. */
const forward = (model: AdaptedModel): number => 2 * placesOfBase(model).layers.reduce((sum, size) => sum + size, 0);

/** Those of a training step: there, back to the inputs, and to the gradients of what is trained. */
const productsOf = (model: AdaptedModel): number => 2 * forward(model) + 2 * countParameters(model).trained_parameters;

const meanTokens = (set: ExampleSet): number =>
  2 + rowLines(set).length / characters / Math.max(1, set.examples.length);
