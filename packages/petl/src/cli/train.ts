import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import {
  methods as allMethods,
  columnSettings,
  InputError,
  pickSettings,
  recipeSettings,
  tokenSettings,
  trainingSettings,
} from "@petl/core";
import { type DataAccess, settledData } from "../data/find-data.ts";
import { type FolderLock, refuseBusy } from "../disk/folder-lock.ts";
import { parseFlags } from "../flags/flags.ts";
import { chooseMethods, writtenMethods } from "../flags/method-flags.ts";
import { type RequestFlags, requestFlags, type TrainFlags, trainFlags } from "../flags/train-flags.ts";
import type { OpenBase } from "../library/open-base.ts";
import { writeRunReport } from "../reports/write-report.ts";
import { claim, claimEmpty, refuseFinished, refuseTaken } from "../runs/folder.ts";
import { type OpenRun, openRun, type RunRequest } from "../runs/open-run.ts";
import { readRecord, writeRecord } from "../runs/record.ts";
import { type RunSummary, trainRun } from "../runs/train-run.ts";
import type { Tracker } from "../trackers/tracker.ts";
import { openTrackers, reachTrackers } from "../trackers/trackers.ts";
import { version } from "../version.ts";
import { refuseBeside } from "./beside-resume.ts";
import { evaluationLines } from "./evaluation-report.ts";
import { resolveModel, shownDownload } from "./open.ts";
import { trackedBy } from "./track-run.ts";
import { type Context, defineVerb } from "./verb.ts";
import { watchRun } from "./watch-run.ts";

export const trainVerb = defineVerb({
  name: "train",
  group: "Train",
  summary: "fine-tune a base model on your data",
  flags: trainFlags,
  takesMethods: true,
  examples: [
    "train --base BASE --data reviews.csv --method lora --rank 8 --out my-adapter",
    "train --base BASE --data glue/sst2 --method bitfit --epochs 3 --lr 1e-3 --out sst2-bitfit",
    "train --resume my-adapter",
  ],
  async run({ flags, json, methodOptions }, context) {
    const run =
      flags.resume === undefined
        ? await newRun(flags, methodOptions, context)
        : await oldRun(flags.resume, flags, methodOptions, context);
    const summary = await carriedOut(run, context);
    if (json) await context.print(JSON.stringify(summary));
    else for (const line of report(summary)) await context.print(line);
  },
});

export interface Run {
  readonly out: string;
  readonly run: OpenRun;
  readonly lock: FolderLock;
  readonly id: string;
  /** which lines of the metrics are kept, and what from epoch to epoch */
  readonly kept: Pick<RequestFlags, "logEvery" | "cache" | "cacheSize" | "cacheType">;
  /** the trackers that are told its numbers */
  readonly logTo: readonly string[];
  readonly resume: boolean;
  /** the file that receives the run's page */
  readonly report?: string | undefined;
}

/** Trains a run to its end, shown on the terminal and told to its trackers. */
export async function carriedOut(
  { out, run, lock, id, kept, logTo, resume, report: page }: Run,
  context: Pick<Context, "terminal" | "inFlags" | "signal">,
): Promise<RunSummary> {
  const { terminal, signal } = context;
  let outcome: "finished" | "failed" | "stopped" = "failed";
  let trackers: readonly Tracker[] = [];
  try {
    if (!resume) for (const remark of run.remarks) terminal.line(remark);
    trackers = await openTrackers(logTo, { name: basename(out), settings: told(run) });
    const watch = trackedBy(trackers, watchRun(context));
    const trained = await trainRun(out, run, watch, { ...kept, resume, lock, id, signal });
    const summary = { ...trained, try_next: trained.try_next.map(context.inFlags) };
    if (page !== undefined) await writeRunReport(page, { run, summary, signal });
    outcome = "finished";
    return summary;
  } catch (error) {
    terminal.done();
    if (signal.aborted) {
      outcome = "stopped";
      terminal.line(`stopped; go on with \`petl train --resume ${out}\``);
    }
    throw error;
  } finally {
    terminal.done();
    await closeTrackers(trackers, outcome, terminal);
    await lock.release();
    await run.base.close();
  }
}

/** What trackers are told of a run's settings. */
const told = ({ model, training }: OpenRun) => ({ ...training.settings, ...writtenMethods(model.adapted.methods) });

/** A tracker that lost something is a remark: the run's own files are whole. */
async function closeTrackers(
  trackers: readonly Tracker[],
  outcome: "finished" | "failed" | "stopped",
  terminal: Context["terminal"],
): Promise<void> {
  for (const closed of await Promise.allSettled(trackers.map((tracker) => tracker.close(outcome)))) {
    if (closed.status === "rejected") terminal.line(`--log-to: ${closed.reason.message}`);
  }
}

/**
 * Checks everything that can be checked, and only then touches the run's folder.
 * @param opened the base, where it is open already
 */
export async function newRun(
  flags: TrainFlags,
  methodOptions: Readonly<Record<string, unknown>>,
  context: Context,
  opened?: OpenBase,
): Promise<Run> {
  const { base, data, out } = needed(flags);
  const folder = resolve(out);
  await reachTrackers(flags.logTo);
  await refuseTaken(folder, "train", flags.overwrite);
  const { methods, baseDropout } = methodsOf(flags, methodOptions);
  const access = accessOf(flags, context);
  const named: RequestFlags = {
    ...parseFlags(requestFlags, flags).values,
    baseDropout,
    dropout: undefined,
    data: await Promise.all(data.map((each) => settledData(each, access))),
    validation: typeof flags.validation === "string" ? await settledData(flags.validation, access) : flags.validation,
    init: flags.init === undefined ? undefined : await resolveModel(flags.init, flags, context),
  };
  const baseFolder = resolve(await resolveModel(base, flags, context));
  const run = await openRun(requestOf(named, { base, baseFolder, methods, access }), context.signal, opened);
  const [id, settings] = [randomUUID(), pickSettings(trainingSettings, run.training.settings)];
  const method = writtenMethods(run.model.adapted.methods);
  const pooling = flags.pooling ?? (flags.init === undefined ? run.model.adapted.goal.pooling : undefined);
  const lock = await closedOnFailure(run, () => claimEmpty(folder));
  await closedOnFailure(run, async () =>
    writeRecord(folder, {
      petl: version,
      id,
      request: { ...named, base: await settledName(base), ...settings, ...method, pooling },
      base_folder: baseFolder,
      base_sha256: run.baseSha256,
      data_sha256: run.dataSha256,
    }),
  );
  return { out: folder, run, lock, id, kept: keptBy(flags), logTo: flags.logTo, resume: false, report: flags.report };
}

/** Does some work with an open run, which is closed where it fails. */
async function closedOnFailure<T>({ base }: OpenRun, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await base.close();
    throw error;
  }
}

const keptBy = ({ logEvery, cache, cacheSize, cacheType }: RequestFlags) => ({ logEvery, cache, cacheSize, cacheType });

/** A folder's name as it is found from everywhere; a hub id or a bundled name as it is. */
const settledName = async (base: string): Promise<string> =>
  (await stat(base).catch(() => undefined))?.isDirectory() ? resolve(base) : base;

function needed({ base, data, out, method, init, recipe }: TrainFlags) {
  const given = { base, data: data[0], out, "method (or --init, --recipe)": method ?? init ?? recipe };
  const problems = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [`--${name} is missing`] : [],
  );
  if (base === undefined || out === undefined || problems.length > 0) throw new InputError(problems);
  return { base, data, out };
}

/** `--dropout` is the method's where one of the chosen has it, the base's own otherwise. */
function methodsOf({ method, dropout, baseDropout }: RequestFlags, given: Readonly<Record<string, unknown>>) {
  const names = method?.split("+") ?? [];
  const takesDropout = allMethods.some(({ name, options: declared }) => names.includes(name) && "dropout" in declared);
  const options = dropout !== undefined && takesDropout ? { ...given, dropout } : given;
  if (method === undefined && Object.keys(options).length > 0) {
    throw new InputError("options of methods go with --method; with --init they come from the adapter");
  }
  return {
    methods: method === undefined ? undefined : chooseMethods(method, options),
    baseDropout: takesDropout ? baseDropout : (dropout ?? baseDropout),
  };
}

interface Accessed {
  readonly access: DataAccess;
}

const accessOf = ({ offline }: TrainFlags, { signal, terminal }: Context): DataAccess => ({
  offline,
  signal,
  onProgress: shownDownload("the data", terminal),
});

/** What of the flags goes where. */
function requestOf(
  flags: RequestFlags,
  { base, baseFolder, methods, access }: Pick<RunRequest, "base" | "baseFolder" | "methods"> & Accessed,
): RunRequest {
  const { task, validation, trainRows, seed, shuffle, pooling, threads, device, init, data, recipe } = flags;
  return {
    base,
    baseFolder,
    methods,
    init,
    data,
    recipe,
    pooling,
    threads,
    device,
    rows: { ...access, ...pickSettings(columnSettings, flags), task, validation, trainRows, seed, shuffle },
    training: pickSettings({ ...trainingSettings, ...tokenSettings, ...recipeSettings }, flags),
  };
}

/** A run that was interrupted, from its own record; refused where the base or the data are no longer the same. */
async function oldRun(
  folder: string,
  flags: TrainFlags,
  methodOptions: Readonly<Record<string, unknown>>,
  context: Context,
): Promise<Run> {
  refuseBeside(flags, trainFlags, Object.keys(methodOptions));
  const out = resolve(folder);
  const record = await readRecord(out);
  if (!record) throw new InputError(`--resume ${folder} holds no run.json, so there is no run to go on with`);
  await refuseFinished(out, folder);
  await refuseBusy(out);
  const { values, rest } = parseFlags(requestFlags, record.request);
  const methods = values.init === undefined ? methodsOf(values, rest).methods : undefined;
  const [base, baseFolder] = [values.base ?? record.base_folder, record.base_folder];
  const access = accessOf(flags, context);
  const run = await openRun(requestOf(values, { base, baseFolder, methods, access }), context.signal);
  const problems = [
    ...(run.baseSha256 === record.base_sha256 ? [] : [`the base ${baseFolder} has changed since the run began`]),
    ...(run.dataSha256 === record.data_sha256
      ? []
      : [`the data ${values.data.join(", ")} have changed since the run began`]),
  ];
  const lock = await closedOnFailure(run, async () => {
    if (problems.length > 0) throw new InputError(problems);
    return claim(out);
  });
  return {
    out,
    run,
    lock,
    id: record.id,
    kept: keptBy(values),
    logTo: values.logTo,
    resume: true,
    report: flags.report,
  };
}

/** A finished run in words. */
function report(summary: RunSummary): readonly string[] {
  const percent = (ratio: number) => `${(100 * ratio).toPrecision(3)} %`;
  const { evaluation } = summary;
  return [
    `${summary.method}: ${summary.trained_parameters.toLocaleString("en-US")} parameters trained, ${percent(summary.trainable_ratio)} of the base (${percent(summary.trainable_ratio_with_head)} with the head)`,
    `${summary.steps} steps in ${summary.seconds.toFixed(1)} s, ${Math.round(summary.tokens_per_second).toLocaleString("en-US")} tokens/s, ${Math.round(summary.peak_rss_bytes / 1e6)} MB at most`,
    ...(evaluation ? ["", ...evaluationLines(evaluation), ""] : []),
    ...summary.try_next.map((step) => `try next: ${step}`),
    `${summary.out}: ${(summary.adapter_bytes / 1e3).toFixed(0)} kB`,
  ];
}
