import { join } from "node:path";
import {
  adapt,
  changedRows,
  countsWithout,
  encodeTrained,
  type HfModel,
  holdOutBlocks,
  InputError,
  initialPhi,
  nextTokens,
  objectiveOf,
  readBase,
  type StoredRows,
  someRows,
  type Tokenizer,
  unigramLoss,
} from "@petl/core";
import { directory } from "../disk/files.ts";
import { removeFolderSafely } from "../disk/safe-write.ts";
import { full } from "../library/methods.ts";
import { maskedOnce, maskingOf } from "../library/plain-text.ts";
import { checkpointFiles, tokenizerFiles } from "../library/save.ts";
import { type ExecutedRun, executeRun, type RunSummary, type Watch } from "../runs/execute.ts";
import { pretrainingKinds } from "./model-config.ts";
import { prepareRows } from "./prepare-rows.ts";
import { prepareStart } from "./prepare-start.ts";
import { prepareTeacher, type TeacherVectors, withTeacher } from "./prepare-teacher.ts";
import { type PreparedTokenizer, prepareTokenizer } from "./prepare-tokenizer.ts";
import type { PretrainingRecord } from "./record.ts";
import type { RowFolder } from "./row-folder.ts";
import type { StageWatch } from "./stage-watch.ts";

/** What a finished run says of itself; `petl pretrain --json` prints it. */
export interface PretrainingSummary extends Omit<RunSummary, "method" | "adapter_bytes"> {
  readonly vocabulary: number;
  /** of the held-out rows' hidden tokens, by a model that knows only how often each token comes */
  readonly unigram_loss: number;
  /** of model.safetensors */
  readonly bytes: number;
}

/**
 * Makes what is not there yet of a run: the tokenizer, the rows, the untrained model; then trains it, and leaves an
 * ordinary Hugging Face folder. Everything but the training is whole or not there, so that a run that was killed goes on
 * where it was. Returns undefined where the training was stopped.
 *
 * @throws an AbortError where an earlier stage was stopped
 */
export async function pretrain(
  out: string,
  record: PretrainingRecord,
  watch: Watch & StageWatch,
  { resume }: { readonly resume: boolean },
): Promise<PretrainingSummary | undefined> {
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
    const methods = [{ name: "full", options: {} }];
    const executed = { ...record, base: out, base_folder: start, methods };
    const watching = resume ? watch : { ...watch, remark: () => undefined }; // a new run has no checkpoint to speak of
    const files = async () => {
      const [config, weights] = checkpointFiles(await encodeTrained(run.base, run.adapted, run.phi, record));
      return [weights, ...(await tokenizerFiles(start)), config];
    };
    // what was made from the text stays where the first step fails, so every run is one that goes on
    const summary = await executeRun(out, executed, run, watching, { resume: true, files });
    if (!summary) return undefined;
    await removeFolderSafely(start);
    if (record.prepared === undefined) await removeFolderSafely(prepared);
    const { method: _, adapter_bytes: bytes, ...rest } = summary;
    return { ...rest, vocabulary: run.base.model.sizes.vocabulary, unigram_loss: unigram, bytes };
  } finally {
    await teacher?.close();
    await rows.close();
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

type Training = ExecutedRun & { readonly validation: NonNullable<ExecutedRun["validation"]> };

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
  return { run: { base, adapted, phi, ...goals, labels: [] }, unigram };
}
