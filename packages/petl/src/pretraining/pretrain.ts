import { join } from "node:path";
import {
  adapt,
  changedRows,
  countParameters,
  countsWithout,
  encodeTrained,
  full,
  type HfModel,
  holdOutBlocks,
  InputError,
  initialPhi,
  maskedOnce,
  maskingOf,
  nextTokens,
  objectiveOf,
  type ParameterCounts,
  readBase,
  type StoredRows,
  someRows,
  type Tokenizer,
  type TrainingRun,
  trainSteps,
  unigramLoss,
} from "@petl/core";
import { directory } from "../disk/files.ts";
import { removeFolderSafely } from "../disk/safe-write.ts";
import { workerEngine } from "../engine/worker-engine.ts";
import { checkpointFiles, tokenizerFiles } from "../library/save.ts";
import { type RunResult, type StoreOptions, storeRun, type Watch } from "../runs/store-run.ts";
import { pretrainingKinds } from "./model-config.ts";
import { prepareRows } from "./prepare-rows.ts";
import { prepareStart } from "./prepare-start.ts";
import { prepareTeacher, type TeacherVectors, withTeacher } from "./prepare-teacher.ts";
import { type PreparedTokenizer, prepareTokenizer } from "./prepare-tokenizer.ts";
import type { PretrainingRecord } from "./record.ts";
import type { RowFolder } from "./row-folder.ts";
import type { StageWatch } from "./stage-watch.ts";

/** What a finished run says of itself; `petl pretrain --json` prints it. */
export interface PretrainingSummary extends ParameterCounts, Omit<RunResult, "bytes"> {
  readonly vocabulary: number;
  /** of the held-out rows' hidden tokens, by a model that knows only how often each token comes */
  readonly unigram_loss: number;
  /** of model.safetensors */
  readonly bytes: number;
  readonly out: string;
}

/**
 * Makes what is not there yet of a run: the tokenizer, the rows, the untrained model; then trains it, and leaves an
 * ordinary Hugging Face folder. Everything but the training is whole or not there, so that a run that was killed goes on
 * where it was.
 *
 * @throws the signal's reason where it was stopped
 */
export async function pretrain(
  out: string,
  record: PretrainingRecord,
  watch: Watch & StageWatch,
  { resume, lock }: StoreOptions,
): Promise<PretrainingSummary> {
  const prepared = record.prepared ?? join(out, "prepared");
  const start = join(out, "start");
  const tokenizer = await prepareTokenizer(record, prepared, watch);
  const rows = await prepareRows(record, prepared, tokenizer, watch);
  let teacher: TeacherVectors | undefined;
  try {
    await prepareStart(record, start, tokenizer);
    teacher = record.teacher && (await prepareTeacher({ ...record, teacher: record.teacher }, prepared, rows, watch));
    const { run, unigram } = await trainingOf(record, start, { rows, teacher, ...tokenizer });
    watch.remark(
      `${rows.length.toLocaleString("en-US")} rows, ${run.validation.length.toLocaleString("en-US")} of them held out; unigram loss ${unigram.toFixed(4)}`,
    );
    const result = await stored(out, { record, start, run }, watch, { resume, lock });
    await removeFolderSafely(start);
    if (record.prepared === undefined) await removeFolderSafely(prepared);
    const vocabulary = run.base.model.sizes.vocabulary;
    return { ...countParameters(run.adapted), ...result, vocabulary, unigram_loss: unigram, out };
  } finally {
    await teacher?.close();
    await rows.close();
  }
}

/** Trains in the run's folder; what was made from the text stays where a step fails, so every run is one that goes on. */
async function stored(
  out: string,
  { record, start, run }: { readonly record: PretrainingRecord; readonly start: string; readonly run: Training },
  watch: Watch & StageWatch,
  { resume, lock }: StoreOptions,
): Promise<RunResult> {
  const { threads, settings, log_every: logEvery } = record;
  const engine = await workerEngine(start, run.base.checkpoint?.files ?? [], { threads });
  const watching = resume ? watch : { ...watch, remark: () => undefined }; // a new run has no checkpoint to speak of
  const training = {
    base: run.base,
    logEvery,
    id: record.text_sha256,
    events: (state: TrainingRun["resume"]) =>
      trainSteps({ ...run, engine, settings, resume: state, signal: watch.signal }),
    files: async () => {
      const [config, weights] = checkpointFiles(await encodeTrained(run.base, run, record));
      return [weights, ...(await tokenizerFiles(directory(start))), config];
    },
  };
  try {
    return await storeRun(out, training, watching, { resume: true, lock });
  } finally {
    await engine.close();
  }
}

type Goals = Pick<Training, "examples" | "validation" | "masking">;

/** Rows whose hidden words are guessed: others in every epoch, of the held-out rows always the same. */
function masked(examples: StoredRows, heldOut: StoredRows, base: HfModel, tokenizer: Tokenizer, seed: number): Goals {
  const masking = maskingOf(tokenizer, base.model.sizes.vocabulary);
  return { examples, validation: maskedOnce(heldOut, masking, seed), masking };
}

/** Rows whose every token is foretold by those in front of it. */
function foretold(examples: StoredRows, heldOut: StoredRows): Goals {
  const withTargets = (rows: StoredRows) => changedRows(rows, (row) => ({ ...row, target: nextTokens(row) }));
  return { examples: withTargets(examples), validation: withTargets(heldOut), masking: undefined };
}

type Training = Pick<TrainingRun, "adapted" | "phi" | "examples" | "masking"> & {
  readonly base: HfModel;
  readonly validation: NonNullable<TrainingRun["validation"]>;
};

/** What was made from the text. */
interface Material extends Pick<PreparedTokenizer, "tokenizer"> {
  readonly rows: RowFolder;
  readonly teacher: TeacherVectors | undefined;
}

/** The model and the rows that it is trained and measured on. */
async function trainingOf(
  record: PretrainingRecord,
  start: string,
  { rows, teacher, tokenizer }: Material,
): Promise<{ readonly run: Training; readonly unigram: number }> {
  const { seed } = record.settings;
  const base = await readBase(directory(start));
  const { task } = pretrainingKinds[record.architecture];
  const adapted = adapt(base, [full()], { task, labels: 1, trainsHead: true, teacher });
  if (rows.length < 2) throw new InputError(`the text gives ${rows.length} rows, too few to learn from`);
  const { kept, held } = holdOutBlocks(rows.length, record.held_out, seed);
  const taught = teacher ? withTeacher(rows, teacher) : rows;
  const [examples, heldOut] = [someRows(taught, kept), someRows(taught, held)];
  const goals =
    objectiveOf(task).unlabelled === "hidden tokens"
      ? masked(examples, heldOut, base, tokenizer, seed)
      : foretold(examples, heldOut);
  const counts = await countsWithout(rows.counts, heldOut);
  for (const id of Object.values(tokenizer.specialIds)) counts[id] = 0; // they frame every row and are no words
  const unigram = await unigramLoss(counts, goals.validation);
  const phi = await initialPhi(adapted, seed);
  return { run: { base, adapted, phi, ...goals }, unigram };
}
