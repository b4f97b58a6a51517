import {
  type AdaptedModel,
  adapt,
  adaptTo,
  type Base,
  type Bench,
  countParameters,
  type Fit,
  InputError,
  isWithin,
  type Json,
  type Measured,
  methods,
  methodsByName,
  type OpenModel,
  type Setup,
  studies,
  train,
} from "@petl/core";
import { tensorsDigest } from "../library/digests.ts";
import { openBase } from "../library/open-base.ts";
import { adapterFiles } from "../library/save.ts";
import type { StudyContext } from "./context.ts";
import { equalBudget } from "./equal-budget.ts";
import { ownMethods } from "./own-methods.ts";
import { openScorer, scoreNameOf } from "./scoring.ts";
import { sourceLossOf } from "./source-loss.ts";
import { dataDigest, heldOutFile, readStudyRows, scoreFile, sourceFile, trainFile } from "./study-rows.ts";

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
    budget,
    seeds,
    task,
    rows,
    fewestRows,
    model,
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
  const files = new Map<string, ReturnType<typeof readStudyRows>>();
  const rowsIn = (name: string) => {
    const known = files.get(name) ?? readStudyRows(out, name, columns);
    files.set(name, known);
    return known;
  };
  let source: ReturnType<typeof readStudyRows> | undefined;
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
        train: trainObject(context, { ...fit, steps: step }, seed),
        ...countsOf(adapted),
        seconds,
        adapter_bytes: weights.length,
        phi_sha256: tensorsDigest(weights),
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
      source ??= readStudyRows(out, sourceFile, {});
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
    train: null,
    score: null,
    score_name: scoreNameOf(adapted.goal.task),
    scores: {},
    loss: null,
    trained_parameters: 0,
    head_parameters,
    base_parameters,
    trainable_ratio: 0,
    seconds: 0,
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    adapter_bytes: 0,
    phi_sha256: null,
    data_sha256,
  };
}

/** What `petl train --config` takes to train the same Φ; paths of rows are relative to the study's folder. */
export function trainObject(context: StudyContext, fit: Fit, seed: number): Readonly<Record<string, Json>> {
  const { method, options, lr, steps, batch, schedule, rows } = fit;
  const { base, task, columns, max_length } = context;
  return {
    base,
    data: trainFile(rows),
    validation: scoreFile,
    ...columns,
    task,
    method,
    ...options,
    lr,
    steps,
    batch,
    schedule,
    seed,
    threads: 1,
    cache: "off",
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
