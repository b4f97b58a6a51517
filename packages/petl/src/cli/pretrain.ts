import { resolve } from "node:path";
import { InputError, openTokenizer, parseSettings, pickSettings } from "@petl/core";
import { directory } from "../disk/files.ts";
import type { FolderLock } from "../disk/folder-lock.ts";
import { removeFolderSafely } from "../disk/safe-write.ts";
import { baseDigest } from "../library/base-digest.ts";
import { pretrainingKinds, usualFeedForward } from "../pretraining/model-config.ts";
import { type PretrainingSummary, pretrain } from "../pretraining/pretrain.ts";
import { type PretrainingRecord, pretrainingRecord } from "../pretraining/record.ts";
import { digestOfTexts, findTexts } from "../pretraining/text-files.ts";
import { findWords } from "../pretraining/word-file.ts";
import { claim, claimEmpty, refuseFinished, refuseTaken } from "../runs/folder.ts";
import { readRecordAs, writeRecord } from "../runs/record.ts";
import { version } from "../version.ts";
import { refuseBeside } from "./beside-resume.ts";
import { resolveModel } from "./open.ts";
import { type PretrainFlags, pretrainFlags, pretrainingSettings } from "./pretrain-flags.ts";
import { type Context, defineVerb } from "./verb.ts";
import { watchRun } from "./watch-run.ts";

export const pretrainVerb = defineVerb({
  name: "pretrain",
  group: "Train",
  summary: "train a small base model from text",
  flags: pretrainFlags,
  examples: [
    "pretrain --text novels --layers 4 --hidden 256 --heads 4 --epochs 3 --out my-base",
    "pretrain --text novels --text letters.txt.gz --vocabulary 4096 --steps 2000 --held-out 0.02 --out my-base",
    "pretrain --text novels --architecture llama --max-length 256 --epochs 1 --dtype bfloat16 --out my-decoder",
    "pretrain --text novels --teacher BASE --teacher-weight 2 --out my-base",
    "pretrain --resume my-base",
  ],
  async run({ flags, json }, context) {
    const { terminal, signal } = context;
    const resume = flags.resume !== undefined;
    const { out, record, lock } =
      flags.resume === undefined ? await newRun(flags, context) : await oldRun(flags.resume, flags);
    const watch = { ...watchRun(context), onProgress: terminal.progress, signal };
    const summary = await pretrain(out, record, watch, { resume, lock })
      .catch(async (error: unknown) => {
        terminal.done();
        if (signal.aborted) terminal.line(`stopped; go on with \`petl pretrain --resume ${out}\``);
        else if (!resume && error instanceof InputError) await removeFolderSafely(out);
        throw error;
      })
      .finally(() => lock.release());
    terminal.done();
    if (json) await context.print(JSON.stringify(summary));
    else for (const line of report(summary)) await context.print(line);
  },
});

interface Run {
  readonly out: string;
  readonly record: PretrainingRecord;
  readonly lock: FolderLock;
}

/** Checks everything that can be checked, and only then touches the run's folder. */
async function newRun(flags: PretrainFlags, context: Context): Promise<Run> {
  const { text, out: named } = flags;
  if (text.length === 0 || named === undefined) {
    throw new InputError([
      ...(text.length === 0 ? ["--text is missing"] : []),
      ...(named === undefined ? ["--out is missing"] : []),
    ]);
  }
  const out = resolve(named);
  await refuseTaken(out, "pretrain", flags.overwrite);
  const record = await recordOf(flags, text, context);
  const lock = await claimEmpty(out);
  await writeRecord(out, record);
  return { out, record, lock };
}

async function recordOf(flags: PretrainFlags, text: readonly string[], context: Context): Promise<PretrainingRecord> {
  const { hidden = 256, layers = 4, heads = 4, architecture = "bert" } = flags;
  const files = await findTexts(text);
  if (hidden % heads !== 0) throw new InputError(`--hidden ${hidden} is no multiple of --heads ${heads}`);
  if (flags.teacher === undefined && flags.teacherWeight !== undefined)
    throw new InputError("--teacher-weight goes with --teacher");
  if (flags.tokenizer !== undefined && flags.vocabulary !== undefined)
    throw new InputError("--tokenizer brings its own vocabulary; leave out --vocabulary");
  const wordPiece = pretrainingKinds[architecture].tokenizer === "wordpiece";
  if (flags.words !== undefined && (flags.tokenizer !== undefined || !wordPiece))
    throw new InputError("--words goes with a tokenizer that is made for an encoder");
  return {
    petl: version,
    kind: "pretraining",
    text: text.map((path) => resolve(path)),
    text_sha256: await digestOfTexts(files),
    ...(flags.prepared !== undefined && { prepared: resolve(flags.prepared) }),
    tokenizer:
      flags.tokenizer === undefined
        ? {
            vocabulary: flags.vocabulary ?? 8192,
            lowercase: flags.lowercase && wordPiece,
            ...(flags.words !== undefined && { words: await findWords(flags.words) }),
          }
        : { folder: resolve(flags.tokenizer) },
    architecture,
    sizes: { layers, hidden, heads, feed_forward: flags.feedForward ?? usualFeedForward(architecture, hidden) },
    max_length: flags.maxLength ?? 128,
    short_share: flags.shortShare,
    held_out: flags.heldOut,
    ...(flags.teacher !== undefined && { teacher: await teacherOf(flags.teacher, flags, context) }),
    dtype: flags.dtype ?? "float32",
    log_every: flags.logEvery,
    ...(flags.threads !== undefined && { threads: flags.threads }),
    settings: parseSettings({ ...pickSettings(pretrainingSettings, flags), baseDropout: flags.dropout }),
  };
}

async function teacherOf(base: string, flags: PretrainFlags, context: Context) {
  const { architecture = "bert" } = flags;
  if (pretrainingKinds[architecture].rows !== "sentences")
    throw new InputError(`--teacher goes with an encoder, whose rows are whole sentences; ${architecture} is none`);
  const folder = resolve(await resolveModel(base, flags, context));
  if (!(await openTokenizer(directory(folder)))) throw new InputError(`--teacher ${base} has no tokenizer`);
  return { base, folder, sha256: await baseDigest(directory(folder)) };
}

/** A run that was interrupted, from its own record. */
async function oldRun(folder: string, flags: PretrainFlags): Promise<Run> {
  refuseBeside(flags, pretrainFlags);
  const out = resolve(folder);
  const record = await readRecordAs(out, pretrainingRecord);
  if (!record) throw new InputError(`--resume ${folder} holds no run.json, so there is no run to go on with`);
  await refuseFinished(out, folder);
  return { out, record, lock: await claim(out) };
}

/** A finished run in words. */
function report(summary: PretrainingSummary): readonly string[] {
  const { evaluation } = summary;
  return [
    `${(summary.base_parameters + summary.head_parameters).toLocaleString("en-US")} parameters, ${summary.vocabulary.toLocaleString("en-US")} tokens of the vocabulary`,
    `${summary.steps} steps in ${summary.seconds.toFixed(1)} s, ${Math.round(summary.tokens_per_second).toLocaleString("en-US")} tokens/s, ${Math.round(summary.peak_rss_bytes / 1e6)} MB at most`,
    ...(evaluation
      ? [
          `held-out loss ${evaluation.loss.toFixed(4)} (perplexity ${evaluation.perplexity?.toFixed(2)}); unigrams alone ${summary.unigram_loss.toFixed(4)}`,
        ]
      : []),
    `${summary.out}: ${(summary.bytes / 1e6).toFixed(1)} MB`,
  ];
}
