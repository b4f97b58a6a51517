import type { ChildProcess } from "node:child_process";
import { cp, mkdir, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parsedJson } from "@petl/core";
import { z } from "zod";
import { namesIn } from "../disk/files.ts";
import { fileSha256 } from "../disk/sha256.ts";
import { endGently, startChild } from "../executors/child-process.ts";
import { folderState } from "../runs/folder.ts";
import type { JobFolder } from "./job-folder.ts";
import type { Claim, StoredEvent } from "./job-record.ts";

/** How an attempt went; `given back` where the job is to be taken up again, by this worker or another one. */
export type AttemptEnd = "ended" | "given back";

/** Milliseconds between looks at what is wanted, and at what the training has written. */
const lookEvery = 150;
/** Milliseconds between beats. */
const beatEvery = 5000;
/** Milliseconds that a training has to save itself: when it is cancelled nothing needs to be saved. */
const patience = { cancelled: 1000, otherwise: 15_000 } as const;

/**
 * Works on a job until it ends, until something else is wanted of it, or until `signal` is aborted. The training is
 * `petl train` in a process of its own, in a folder of this attempt, which begins with what the last attempt saved.
 */
export async function workOn(shared: string, job: JobFolder, signal: AbortSignal): Promise<AttemptEnd> {
  if (await job.outcome()) return "ended";
  if ((await job.wish()) === "pause" || (await job.claimed())) return "given back";
  const claim = await job.claim();
  if (!claim) return "given back";
  const beats = setInterval(() => job.beat(claim), beatEvery);
  try {
    return await work(shared, job, claim, signal);
  } finally {
    clearInterval(beats);
    await job.release(claim);
  }
}

async function work(shared: string, job: JobFolder, claim: Claim, signal: AbortSignal): Promise<AttemptEnd> {
  const changed = await changedData(shared, job);
  if (changed !== undefined) return failed(job, claim, changed);
  const run = join(job.attemptFolder(claim.attempt), "run");
  await takeOver(job, claim, run);
  const state = await folderState(run);
  if (state === "other") await rm(run, { recursive: true, force: true });
  if (state === "finished") return succeeded(job, claim, run);
  const child = startTraining(shared, job, run, state === "unfinished");
  const told = await watched(child, job, claim, run, signal);
  if (!(await job.holds(claim))) return (await job.outcome()) ? "ended" : "given back";
  if (told.stopped) return "given back";
  if (told.code === 0) return succeeded(job, claim, run);
  const passing = told.code === null; // something else than petl ended it
  if (passing && claim.attempt < mostAttempts) return "given back";
  return failed(job, claim, told.reason);
}

/** A training that something kills again and again is given up. */
const mostAttempts = 20;

async function succeeded(job: JobFolder, claim: Claim, run: string): Promise<AttemptEnd> {
  const lines = await linesOf(join(run, "metrics.jsonl"), 0);
  const tokens = lines.steps.at(-1)?.tokens;
  await job.note(await newSteps(job, lines.steps));
  if (await job.holds(claim))
    await job.end({
      status: "succeeded",
      attempt: claim.attempt,
      ...(tokens !== undefined && { trained_tokens: tokens }),
    });
  return "ended";
}

async function failed(job: JobFolder, claim: Claim, error: string): Promise<AttemptEnd> {
  if (await job.holds(claim)) await job.end({ status: "failed", error });
  return "ended";
}

/** Copies what the newest attempt before has left; a checkpoint that was being written is known by its digests. */
async function takeOver(job: JobFolder, { attempt }: Claim, run: string): Promise<void> {
  await mkdir(join(run, ".."), { recursive: true });
  for (let last = attempt - 1; last > 0; last--) {
    const old = join(job.attemptFolder(last), "run");
    if ((await namesIn(old)).includes("run.json")) {
      const visible = (path: string) => !/(^|\/)\.[^/]*$/.test(path.slice(old.length));
      await cp(old, run, { recursive: true, filter: visible });
      return;
    }
  }
}

/** Says which file is no longer what the job was accepted with. */
async function changedData(shared: string, { record }: JobFolder): Promise<string | undefined> {
  for (const { path, sha256 } of record.data) {
    const now = await fileSha256(join(shared, path)).catch(() => undefined);
    if (now === undefined) return "a file of the job is gone";
    if (now !== sha256) return "a file of the job has changed since it was accepted";
  }
  return undefined;
}

const petl = fileURLToPath(new URL("../../bin/petl.js", import.meta.url));

function startTraining(shared: string, { record }: JobFolder, run: string, resumes: boolean): ChildProcess {
  const [train, validation] = record.data.map(({ path }) => join(shared, path));
  const given = [
    ...["--base", record.base, "--data", train ?? "", "--out", run],
    ...["--validation", validation ?? "0", ...record.flags],
    ...(record.init === undefined ? [] : ["--init", join(shared, record.init)]),
  ];
  const args = [petl, "train", ...(resumes ? ["--resume", run] : given)];
  return startChild(args, { folder: record.folder, errors: "pipe" });
}

interface Told {
  readonly code: number | null;
  readonly reason: string;
  /** whether it was ended because something else is wanted */
  readonly stopped: boolean;
}

/** Follows a training to its end, tells its steps, and ends it where it is not wanted any more. */
async function watched(
  child: ChildProcess,
  job: JobFolder,
  claim: Claim,
  run: string,
  signal: AbortSignal,
): Promise<Told> {
  let said = "";
  child.stderr?.on("data", (text) => {
    said = `${said}${text}`.slice(-8192);
  });
  const exit = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(1)).once("exit", (code) => resolve(code));
  });
  let [read, stopped, running] = [0, false, true];
  exit.then(() => {
    running = false;
  });
  while (running) {
    await Promise.race([exit, delay(lookEvery)]);
    const { steps, end } = await linesOf(join(run, "metrics.jsonl"), read);
    if (steps.length > 0 && (await job.holds(claim))) await job.note(await newSteps(job, steps));
    read = end;
    if (stopped || !running) continue;
    const held = await job.holds(claim);
    if (held && !signal.aborted && (await job.wish()) === "run") continue;
    stopped = true;
    endGently(child, held ? patience.otherwise : patience.cancelled);
  }
  const reason = said
    .split("\n")
    .filter((line) => line.startsWith("petl: "))
    .map((line) => line.slice(6))
    .join("; ");
  return { code: await exit, reason: reason || "the training ended without a reason", stopped };
}

const delay = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

const metricsLine = z.looseObject({ step: z.int(), loss: z.number().optional(), tokens: z.number().optional() });
type Step = z.infer<typeof metricsLine>;

/** The whole lines of a file behind so many bytes. */
async function linesOf(path: string, from: number): Promise<{ readonly steps: readonly Step[]; readonly end: number }> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size < from) return { steps: [], end: 0 }; // it was cut to go on from a checkpoint
  if (size === from) return { steps: [], end: from };
  const file = await open(path, "r");
  try {
    const bytes = Buffer.alloc(size - from);
    await file.read(bytes, 0, bytes.length, from);
    const last = bytes.lastIndexOf("\n") + 1;
    const lines = bytes.toString("utf8", 0, last).split("\n");
    return { steps: lines.flatMap((line) => metricsLine.safeParse(parsedJson(line)).data ?? []), end: from + last };
  } finally {
    await file.close();
  }
}

/** Steps that were not told yet, as events; a training that goes on repeats those behind its checkpoint. */
async function newSteps(job: JobFolder, steps: readonly Step[]): Promise<readonly StoredEvent[]> {
  const told = (await job.events()).flatMap(({ data }) => (data ? [keyOf(data)] : []));
  const known = new Set(told);
  return steps
    .filter((step) => !known.has(keyOf(step)))
    .map((step) => ({
      created: Math.floor(Date.now() / 1000),
      level: "info",
      type: "metrics",
      message: wordsOf(step),
      data: dataOf(step),
    }));
}

const keyOf = (data: Readonly<Record<string, unknown>>): string => `${data.step} ${"evaluation" in data}`;

const wordsOf = ({ step, loss }: Step): string =>
  loss === undefined ? `Step ${step}: evaluated` : `Step ${step}: training loss=${loss.toPrecision(4)}`;

const dataOf = ({ loss, ...rest }: Step): Readonly<Record<string, unknown>> => ({
  ...rest,
  ...(loss !== undefined && { train_loss: loss }),
});
