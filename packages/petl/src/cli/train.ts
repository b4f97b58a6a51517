import { resolve } from "node:path";
import { methods as allMethods, InputError } from "@petl/core";
import { findData } from "../data.ts";
import { executeRun, type RunSummary } from "../runs/execute.ts";
import { clearFolder, folderState, refuseTaken } from "../runs/folder.ts";
import { type PreparedRun, prepareRun, type RunRequest } from "../runs/prepare.ts";
import { baseDigest, type RunRecord, readRecord, writeRecord } from "../runs/record.ts";
import { version } from "../version.ts";
import { refuseBeside } from "./beside-resume.ts";
import { figures } from "./evaluation-report.ts";
import { chooseMethods } from "./method-flags.ts";
import { resolveModel } from "./open.ts";
import { type TrainFlags, trainFlags } from "./train-flags.ts";
import { settingsOf } from "./training-flags.ts";
import { type Context, defineVerb } from "./verb.ts";
import { watchRun } from "./watch-run.ts";

export const trainVerb = defineVerb({
  name: "train",
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
        : await oldRun(flags.resume, flags, methodOptions);
    for (const remark of run.prepared.remarks) context.terminal.line(remark);
    const summary = await executeRun(run.out, run.record, run.prepared, watchRun(context), { resume: run.resume });
    context.terminal.done();
    if (!summary) {
      context.terminal.line(`stopped; go on with \`petl train --resume ${run.out}\``);
      throw new DOMException("interrupted", "AbortError");
    }
    if (json) await context.print(JSON.stringify(summary));
    else for (const line of report(summary)) await context.print(line);
  },
});

interface Run {
  readonly out: string;
  readonly record: RunRecord;
  readonly prepared: PreparedRun;
  readonly resume: boolean;
}

/** Checks everything that can be checked, and only then touches the run's folder. */
async function newRun(
  flags: TrainFlags,
  methodOptions: Readonly<Record<string, unknown>>,
  context: Context,
): Promise<Run> {
  const { base, data, out } = needed(flags);
  const folder = resolve(out);
  if (!flags.overwrite) await refuseTaken(folder, "train");
  const { methods, baseDropout } = methodsOf(flags, methodOptions);
  const found = await findData(data, "train");
  if (!found.files.train)
    throw new InputError(`${data} holds no training file; name one train.csv, .tsv, .jsonl or .parquet`);
  const request: RunRequest = {
    base: await resolveModel(base, flags, context),
    init: flags.init === undefined ? undefined : await resolveModel(flags.init, flags, context),
    ...{ methods, task: flags.task, pooling: flags.pooling, maxLength: flags.maxLength, lossOn: flags.lossOn },
    ...(flags.endToken !== undefined && { endToken: flags.endToken === "yes" }),
    train: found.files.train,
    validation: await validationOf(flags.validation, found.files.validation),
    data: columnsOf(flags),
    settings: settingsOf(flags, {
      ...{ headLr: flags.headLr, loraPlus: flags.loraPlus, shuffle: flags.shuffle, dropout: baseDropout },
      pack: flags.pack,
      lr: methods?.[0]?.rate,
    }),
  };
  const prepared = await prepareRun(request);
  const record = await recordOf(flags, request, prepared);
  await clearFolder(folder);
  await writeRecord(folder, record);
  return { out: folder, record, prepared, resume: false };
}

function needed({ base, data, out, method, init }: TrainFlags) {
  const problems = Object.entries({ base, data, out, "method (or --init)": method ?? init })
    .filter(([, value]) => value === undefined)
    .map(([name]) => `--${name} is missing`);
  if (base === undefined || data === undefined || out === undefined || problems.length > 0)
    throw new InputError(problems);
  return { base, data, out };
}

/** `--dropout` is the method's where one of the chosen has it, the base's own otherwise. */
function methodsOf({ method, dropout, baseDropout }: TrainFlags, given: Readonly<Record<string, unknown>>) {
  const names = method?.split("+") ?? [];
  const takesDropout = allMethods.some(({ name, options }) => names.includes(name) && "dropout" in options);
  const options = dropout !== undefined && takesDropout ? { ...given, dropout } : given;
  if (method === undefined && Object.keys(options).length > 0) {
    throw new InputError("options of methods go with --method; with --init they come from the adapter");
  }
  return {
    methods: method === undefined ? undefined : chooseMethods(method, options),
    baseDropout: baseDropout ?? (takesDropout ? undefined : dropout),
  };
}

const columnsOf = ({ text, textPair, label, header }: TrainFlags) => ({
  ...(text !== undefined && { text }),
  ...(textPair !== undefined && { textPair }),
  ...(label !== undefined && { label }),
  ...(!header && { header }),
});

/** Files, or the share of the training data to hold out; the data folder's own validation files where none is named. */
async function validationOf(given: string | undefined, own: readonly string[] | undefined) {
  if (given === undefined) return own;
  const share = Number(given);
  if (Number.isFinite(share)) {
    if (share === 0) return undefined;
    if (share > 0 && share < 1) return share;
    throw new InputError(`--validation ${given} is not possible: a share lies between 0 and 1`);
  }
  return (await findData(given, "validation")).files.validation;
}

async function recordOf(flags: TrainFlags, request: RunRequest, prepared: PreparedRun): Promise<RunRecord> {
  const { adapted, labels, dataSha256 } = prepared;
  const { task, pooling = "default" } = adapted.goal;
  return {
    petl: version,
    ...{
      base: flags.base ?? request.base,
      base_folder: resolve(request.base),
      base_sha256: await baseDigest(request.base),
    },
    ...(request.init !== undefined && { init: resolve(request.init) }),
    methods: adapted.methods.map(({ name, options }) => ({ name, options: { ...options } })),
    ...{ task, pooling, labels: [...labels] },
    train: request.train.map((path) => resolve(path)),
    ...(request.validation !== undefined && {
      validation:
        typeof request.validation === "number" ? request.validation : request.validation.map((path) => resolve(path)),
    }),
    ...{ columns: request.data, data_sha256: dataSha256, log_every: flags.logEvery ?? 1 },
    ...(request.maxLength !== undefined && { max_length: request.maxLength }),
    ...(request.lossOn !== undefined && { loss_on: request.lossOn }),
    ...(request.endToken !== undefined && { end_token: request.endToken }),
    ...(flags.threads !== undefined && { threads: flags.threads }),
    settings: request.settings,
  };
}

/** A run that was interrupted, from its own record; refused where the base or the data are no longer the same. */
async function oldRun(
  folder: string,
  flags: TrainFlags,
  methodOptions: Readonly<Record<string, unknown>>,
): Promise<Run> {
  refuseBeside(flags, trainFlags, Object.keys(methodOptions));
  const out = resolve(folder);
  const record = await readRecord(out);
  if (!record) throw new InputError(`--resume ${folder} holds no run.json, so there is no run to go on with`);
  if ((await folderState(out)) === "finished") throw new InputError(`--resume ${folder}: this run is finished`);
  const prepared = await prepareRun({
    base: record.base_folder,
    ...{
      init: record.init,
      task: record.task,
      labels: record.labels,
      pooling: record.pooling,
      maxLength: record.max_length,
      lossOn: record.loss_on,
      endToken: record.end_token,
    },
    methods: record.methods.flatMap(({ name, options }) =>
      allMethods.filter((method) => method.name === name).map((method) => method.use(options)),
    ),
    ...{ train: record.train, validation: record.validation, data: record.columns, settings: record.settings },
  });
  const problems = [
    ...((await baseDigest(record.base_folder)) === record.base_sha256
      ? []
      : [`the base ${record.base_folder} has changed since the run began`]),
    ...(prepared.dataSha256 === record.data_sha256
      ? []
      : [`the training data ${record.train.join(", ")} have changed since the run began`]),
  ];
  if (problems.length > 0) throw new InputError(problems);
  return { out, record, prepared: { ...prepared, remarks: [] }, resume: true };
}

/** A finished run in words. */
function report(summary: RunSummary): readonly string[] {
  const percent = (ratio: number) => `${(100 * ratio).toPrecision(3)} %`;
  const { evaluation } = summary;
  return [
    `${summary.method}: ${summary.trained_parameters.toLocaleString("en-US")} parameters trained, ${percent(summary.trainable_ratio)} of the base (${percent(summary.trainable_ratio_with_head)} with the head)`,
    `${summary.steps} steps in ${summary.seconds.toFixed(1)} s, ${Math.round(summary.tokens_per_second).toLocaleString("en-US")} tokens/s, ${Math.round(summary.peak_rss_bytes / 1e6)} MB at most`,
    ...(evaluation
      ? [
          figures(evaluation)
            .map(([name, value]) => `${name} ${Number.isInteger(value) ? value : value.toFixed(4)}`)
            .join("  "),
        ]
      : []),
    `${summary.out}: ${(summary.adapter_bytes / 1e3).toFixed(0)} kB`,
  ];
}
