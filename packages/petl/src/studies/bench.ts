import {
  type AdaptedModel,
  adapt,
  adaptTo,
  type Base,
  type Bench,
  type CompiledEvaluation,
  compileEvaluation,
  countParameters,
  type EncodedExample,
  type Evaluation,
  type ExampleSet,
  type Fit,
  InputError,
  isLanguageModel,
  isWithin,
  type Json,
  type Measured,
  measurable,
  methods,
  methodsByName,
  type OpenModel,
  type Outcomes,
  objectiveOf,
  type Phi,
  predictionsOf,
  type Scored,
  type Setup,
  studies,
  train,
} from "@petl/core";
import { tensorsDigest } from "../library/digests.ts";
import { type OpenBase, openBase } from "../library/open-base.ts";
import { adapterFiles } from "../library/save.ts";
import type { StudyContext } from "./context.ts";
import { equalBudget } from "./equal-budget.ts";
import { ownMethods } from "./own-methods.ts";
import { sourceLossOf } from "./source-loss.ts";
import { dataDigest, heldOutFile, readRows, scoreFile, sourceFile, trainFile } from "./study-rows.ts";

/** The smallest adaptation that any base takes, to read its sites and counts from. */
export const slightUse = methodsByName.lora.use({ rank: 1, targets: "all-linear" });

/** What a study's grid depends on, of its folder's record. */
export function setupOf(context: StudyContext, base: Base): Setup {
  const {
    budget,
    seeds,
    task,
    rows,
    fewest_rows: fewestRows,
    methods: asked,
    source_sha256: source,
    parameters,
  } = context;
  const { model } = base;
  const goal = { task, labels: Math.max(1, context.labels.length) };
  const { sites, headModules } = adapt(base, [slightUse], goal);
  const study = studies.find(({ name }) => name === context.study);
  const names = asked ?? (study ? ownMethods(study, budget, base, goal).names : []);
  return {
    ...{ budget, seeds, task, rows, fewestRows, model },
    methods: names,
    ...(parameters !== undefined && { equalOptions: equalBudget(base, goal, names, parameters).options }),
    linearLayers: linearLayersOf(sites).filter((path) => !isWithin(headModules, path)),
    hasSource: source !== null,
  };
}

const linearLayersOf = (sites: AdaptedModel["sites"]): readonly string[] => [
  ...new Set(sites.flatMap(({ kind, path }) => (kind === "linear" ? [path] : []))),
];

/** A bench with what it holds open. */
export interface OpenBench extends Bench {
  close(): Promise<void>;
}

/**
 * Opens a study's base once, for any number of its cells. It computes with one thread, so that a cell's numbers don't
 * depend on the machine; several cells at a time are several processes over the same mapped weights.
 */
export async function openBench(
  out: string,
  folder: string,
  context: StudyContext,
  signal?: AbortSignal,
): Promise<OpenBench> {
  const base = await openBase(folder, { threads: 1, offline: true, ...(signal && { signal }) });
  const { columns, labels, task } = context;
  const files = new Map<string, ReturnType<typeof readRows>>();
  const rowsIn = (name: string) => {
    const known = files.get(name) ?? readRows(out, name, columns);
    files.set(name, known);
    return known;
  };
  let source: ReturnType<typeof readRows> | undefined;
  const maxLength = context.max_length ?? undefined;
  const open = ({ adapted, phi }: Pick<OpenModel, "adapted" | "phi">): OpenModel => ({
    base,
    adapted,
    phi,
    labels,
    remarks: [],
  });
  const fresh = async ({ method, options, rows }: Fit, seed: number) => {
    const { set } = await rowsIn(trainFile(rows));
    const use = methods.find(({ name }) => name === method)?.use(options);
    if (!use) throw new InputError(`there is no method "${method}"`);
    return { set, model: await adaptTo(base, use, { task, labels, train: set }, { seed }) };
  };
  const scorer = openScorer(base);
  const digestOf = async (fit: Fit | null) => {
    const [trained, scored] = [fit && (await rowsIn(trainFile(fit.rows))).sha256, (await rowsIn(scoreFile)).sha256];
    return dataDigest(trained ?? "", scored);
  };
  return {
    setup: setupOf(context, base),
    base,
    async start(fit, seed) {
      const { model } = await fresh(fit, seed);
      return model;
    },
    async *train(fit, seed, at = [fit.steps]) {
      const { set, model } = await fresh(fit, seed);
      const { lr, steps, batch, schedule } = fit;
      const settings = { lr, steps, batch, schedule, seed, ...(maxLength !== undefined && { maxLength }) };
      let begin = performance.now();
      let seconds = 0;
      for await (const event of train(model, { train: set }, settings)) {
        if (event.kind !== "step" || !at.includes(event.step)) continue;
        seconds += (performance.now() - begin) / 1000;
        yield { adapted: model.adapted, phi: model.phi, step: event.step, seconds };
        begin = performance.now();
      }
    },
    async described(fit, seed, { adapted, phi, step, seconds }) {
      const weights = await weightsOf(open({ adapted, phi }));
      return {
        ...{ train: trainObject(context, { ...fit, steps: step }, seed), ...countsOf(adapted), seconds },
        ...{ adapter_bytes: weights.length, phi_sha256: tensorsDigest(weights) },
        peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
        data_sha256: await digestOf(fit),
      };
    },
    async diverged(fit, seed) {
      const { model } = await fresh(fit, seed);
      return {
        ...(await emptyMeasure(model.adapted, await digestOf(fit))),
        train: trainObject(context, fit, seed),
        ...countsOf(model.adapted),
      };
    },
    async score(model) {
      return scorer.score(open(model), (await rowsIn(scoreFile)).set, maxLength);
    },
    async heldOutScore(model) {
      return scorer.scoreOnly(open(model), (await rowsIn(heldOutFile)).set, maxLength);
    },
    async sourceLoss(model) {
      source ??= readRows(out, sourceFile, {});
      return sourceLossOf(open(model), (await source).set);
    },
    async untrained() {
      const { adapted } = await adaptTo(base, slightUse, { task, labels });
      return emptyMeasure(adapted, await digestOf(null));
    },
    async close() {
      await scorer.close();
      await base.close();
    },
  };
}

function countsOf(adapted: AdaptedModel) {
  const { trained_parameters, head_parameters, base_parameters, trainable_ratio } = countParameters(adapted);
  return { trained_parameters, head_parameters, base_parameters, trainable_ratio };
}

async function emptyMeasure(adapted: AdaptedModel, data_sha256: string): Promise<Measured> {
  const { head_parameters, base_parameters } = countsOf(adapted);
  return {
    ...{ train: null, score: null, score_name: scoreNameOf(adapted.goal.task), scores: {}, loss: null },
    ...{ trained_parameters: 0, head_parameters, base_parameters, trainable_ratio: 0, seconds: 0 },
    ...{ peak_rss_bytes: process.resourceUsage().maxRSS * 1024, adapter_bytes: 0, phi_sha256: null, data_sha256 },
  };
}

/** What `petl train --config` takes to train the same Φ; paths of rows are relative to the study's folder. */
function trainObject(context: StudyContext, fit: Fit, seed: number): Readonly<Record<string, Json>> {
  const { method, options, lr, steps, batch, schedule, rows } = fit;
  const { base, task, columns, max_length } = context;
  return {
    ...{ base, data: trainFile(rows), validation: scoreFile, ...columns, task, method, ...options },
    ...{ lr, steps, batch, schedule, seed, threads: 1, cache: "off" },
    ...(max_length !== null && { maxLength: max_length }),
  };
}

/** The bytes of the file that saving would write an adapter's tensors into. */
async function weightsOf(model: OpenModel): Promise<Uint8Array> {
  const files = await adapterFiles(model);
  const weights = files.find(({ name }) => name.endsWith(".safetensors"));
  const chunks: Uint8Array[] = [];
  for await (const chunk of weights?.chunks ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

type Task = AdaptedModel["goal"]["task"];

const lossScore = "minus_loss";

/** The usual metric of the task's objective; a language model's score is its loss with the other sign. */
const scoreNameOf = (task: Task): string =>
  isLanguageModel(task) ? lossScore : (objectiveOf(task).metrics[0]?.name ?? lossScore);

function scoredBy(task: Task, evaluation: Evaluation): Omit<Scored, "outcomes"> {
  const { loss, examples: _, ...rest } = evaluation;
  const numbers = Object.entries(rest).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  const scores: Readonly<Record<string, number>> = { ...Object.fromEntries(numbers), [lossScore]: -loss };
  const score_name = scoreNameOf(task);
  return { score: scores[score_name] ?? null, score_name, scores, loss };
}

/** Scores models, the same one with several Φ by one compiled graph. */
function openScorer(base: OpenBase) {
  let compiled: { readonly adapted: AdaptedModel; readonly evaluation: CompiledEvaluation } | undefined;
  const evaluationOf = async (adapted: AdaptedModel) => {
    if (compiled?.adapted === adapted) return compiled.evaluation;
    await compiled?.evaluation.release();
    compiled = { adapted, evaluation: await compileEvaluation(base.engine, adapted) };
    return compiled.evaluation;
  };
  return {
    async score(model: OpenModel, set: ExampleSet, maxLength: number | undefined): Promise<Scored> {
      const { adapted, phi } = model;
      const rows = await encodedList(measurable(model, set, { maxLength }));
      const evaluation = await evaluationOf(adapted);
      const scored = scoredBy(adapted.goal.task, await evaluation.run(phi, rows));
      return { ...scored, outcomes: await outcomesOf(model, rows, evaluation) };
    },
    async scoreOnly(model: OpenModel, set: ExampleSet, maxLength: number | undefined): Promise<number> {
      const evaluation = await evaluationOf(model.adapted);
      const measured = await evaluation.run(model.phi, measurable(model, set, { maxLength }));
      return scoredBy(model.adapted.goal.task, measured).score ?? Number.NEGATIVE_INFINITY;
    },
    async close() {
      await compiled?.evaluation.release();
    },
  };
}

async function encodedList(rows: ReturnType<typeof measurable>): Promise<readonly EncodedExample[]> {
  if (!("lengths" in rows)) return rows;
  return Promise.all(Array.from({ length: rows.length }, (_, row) => rows.at(row)));
}

/** What every scoring row gave, in order. */
async function outcomesOf(
  model: OpenModel,
  rows: readonly EncodedExample[],
  evaluation: CompiledEvaluation,
): Promise<Outcomes> {
  if (isLanguageModel(model.adapted.goal.task)) return lossOutcomes(evaluation, model.phi, rows);
  const found: { value: number; weight: number; actual: number }[] = [];
  for await (const { shape, logits } of predictionsOf(model, rows, { batch: 32 })) {
    const target = rows[found.length]?.target;
    const classes = shape.at(-1) ?? 1;
    if (target?.kind === "value") found.push({ value: logits[0] ?? 0, weight: 1, actual: target.value });
    else if (target?.kind === "class")
      found.push({ value: Number(largest(logits, 0, classes) === target.id), weight: 1, actual: 0 });
    else if (target?.kind === "tokens") {
      const labelled = [...target.ids.entries()].filter(([, id]) => id >= 0);
      const right = labelled.filter(([at, id]) => largest(logits, at * classes, classes) === id);
      found.push({ value: right.length, weight: labelled.length, actual: 0 });
    } else found.push({ value: 0, weight: 0, actual: 0 });
  }
  const values = found.map(({ value }) => value);
  const kind = rows[0]?.target?.kind;
  if (kind === "value") return { values, actual: found.map(({ actual }) => actual) };
  return kind === "tokens" ? { values, weights: found.map(({ weight }) => weight) } : { values };
}

/** Minus the summed loss of each row, and how many tokens it is of. */
async function lossOutcomes(
  evaluation: CompiledEvaluation,
  phi: Phi,
  rows: readonly EncodedExample[],
): Promise<Outcomes> {
  const [values, weights]: [number[], number[]] = [[], []];
  for (const row of rows) {
    const count = row.target?.kind === "tokens" ? row.target.ids.filter((id) => id >= 0).length : 0;
    weights.push(count);
    values.push(count === 0 ? 0 : -count * (await evaluation.run(phi, [row])).loss);
  }
  return { values, weights };
}

function largest(values: Float32Array, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if ((values[start + i] ?? 0) > (values[start + best] ?? 0)) best = i;
  return best;
}
