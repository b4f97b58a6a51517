import { join } from "node:path";
import {
  type Evaluation,
  type HfModel,
  InputError,
  RunError,
  type TrainingEvent,
  type TrainingState,
} from "@petl/core";
import { type AppendLog, openAppendLog } from "../disk/append-log.ts";
import type { FolderLock } from "../disk/folder-lock.ts";
import { removeFolderSafely, writeFileSafely } from "../disk/safe-write.ts";
import { loadLatestSnapshot, saveSnapshot, snapshotsName } from "../disk/snapshots.ts";
import { strangeTensor } from "../disk/strange-numbers.ts";
import { counted, type NamedFile } from "../library/save.ts";
import { readState, type SavedState, stateFiles } from "./state-files.ts";

/** A training that is stored as it goes on. */
interface StoredTraining {
  readonly base: HfModel;
  /** Trains from a state, or from the start. */
  events(resume: TrainingState | undefined): AsyncGenerator<TrainingEvent, void, void>;
  /** what it leaves in its folder once it is done */
  files(): Promise<readonly NamedFile[]>;
  /** steps between lines of metrics.jsonl; the last step has one too */
  readonly logEvery: number;
  /** tells the run from every other */
  readonly id: string;
}

export interface StoreOptions {
  readonly resume: boolean;
  /** the folder, which this process alone writes */
  readonly lock: Pick<FolderLock, "check">;
}

/** How a run is watched. */
export interface Watch {
  /** every event, with the seconds since the run began */
  readonly onEvent: (event: TrainingEvent, seconds: number) => void;
  readonly remark: (text: string) => void;
}

/** What a finished run came to. */
export interface RunResult {
  readonly steps: number;
  readonly examples: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly tokens_per_second: number;
  /** of the whole process, mapped pages of files included */
  readonly peak_rss_bytes: number;
  /** of the last step */
  readonly loss: number | null;
  /** of what was saved */
  readonly evaluation: Evaluation | null;
  /** of the weights that were saved */
  readonly bytes: number;
}

/** The file of a run that has a line for each logged step and each evaluation. */
export const metricsFile = "metrics.jsonl";

/**
 * Carries a training out in a run's folder: a line of metrics.jsonl per logged step and evaluation, checkpoints, and at
 * the end its files. With `resume` it goes on from the newest whole checkpoint, or from the start where there is none.
 *
 * @throws the reason of the training's signal, once what has been trained is saved; InputError for checkpoints of another
 *   run and for a metrics.jsonl that ends before the checkpoint
 */
export async function storeRun(
  out: string,
  training: StoredTraining,
  { onEvent, remark }: Watch,
  { resume, lock }: StoreOptions,
): Promise<RunResult> {
  const saved = resume ? await savedState(out, training.id, remark) : undefined;
  lock.check();
  const log = openAppendLog(join(out, metricsFile), resume ? { resumeAfter: saved?.step ?? 0 } : {});
  if (saved) requireMetrics(out, log, saved.step, training.logEvery);
  const begin = performance.now();
  const seconds = () => (saved?.seconds ?? 0) + (performance.now() - begin) / 1000;
  const seen: Seen = { steps: 0, examples: 0, step: saved?.step ?? 0, tokens: saved?.tokens ?? 0 };
  try {
    for await (const event of training.events(saved)) {
      const now = seconds();
      onEvent(event, now);
      note(seen, event);
      lock.check();
      writeMetrics(log, event, now, (step) => step % training.logEvery === 0 || step === seen.steps);
      if (event.kind === "checkpoint") {
        log.sync();
        await saveSnapshot(out, event.state.step, stateFiles({ ...event.state, seconds: now, run: training.id }));
        seen.saved = true;
      }
    }
    log.sync();
    const trained = seconds();
    const bytes = await writeResult(out, await training.files(), lock);
    await removeFolderSafely(join(out, snapshotsName));
    return resultOf(seen, trained, bytes);
  } catch (error) {
    if (seen.step === 0 && !seen.saved && !resume) await removeRun(out, lock); // there is nothing to go on with
    throw await explained(error, out, training.base);
  } finally {
    log.close();
  }
}

/** What is known of a run from its events. */
interface Seen {
  steps: number;
  examples: number;
  step: number;
  tokens: number;
  loss?: number;
  evaluation?: Evaluation | undefined;
  saved?: boolean;
}

function note(seen: Seen, event: TrainingEvent): void {
  if (event.kind === "start") Object.assign(seen, { steps: event.steps, examples: event.examples });
  if (event.kind === "step") Object.assign(seen, { step: event.step, tokens: event.tokens, loss: event.loss });
  if (event.kind === "end") seen.evaluation = event.evaluation;
}

function writeMetrics(
  log: AppendLog,
  event: TrainingEvent,
  seconds: number,
  isLogged: (step: number) => boolean,
): void {
  if (event.kind === "step" && isLogged(event.step)) {
    const { kind: _, ...metrics } = event;
    log.append({ ...metrics, seconds: Math.round(seconds * 1000) / 1000 });
  }
  if (event.kind === "evaluation") {
    const { kind: _, ...metrics } = event;
    log.append(metrics);
  }
}

async function savedState(out: string, id: string, remark: (text: string) => void): Promise<SavedState | undefined> {
  const { snapshot, warnings } = await loadLatestSnapshot(out);
  for (const warning of warnings) remark(warning);
  remark(snapshot ? `going on from step ${snapshot.step}` : "no checkpoint yet: starting again from the first step");
  const state = snapshot && readState(snapshot.files);
  if (!state || state.run === id) return state;
  throw new InputError(`${snapshot.path} is a checkpoint of another run, and this one cannot go on from it; remove it`);
}

/** @throws InputError where the metrics of steps before the checkpoint are lost */
function requireMetrics(out: string, log: AppendLog, step: number, every: number): void {
  const logged = step - (step % every);
  if (logged === 0 || (log.last ?? 0) >= logged) return;
  log.close();
  throw new InputError(
    `${join(out, metricsFile)} ends at step ${log.last ?? 0}, before the checkpoint of step ${step}: put it back, or begin the run again`,
  );
}

/** Removes a run that has nothing to go on with, where the folder is still this process's. */
async function removeRun(out: string, lock: Pick<FolderLock, "check">): Promise<void> {
  lock.check();
  await removeFolderSafely(out);
}

/** Writes the result; its configuration comes last, which marks the run as done. Returns the bytes of its weights. */
async function writeResult(out: string, files: readonly NamedFile[], lock: Pick<FolderLock, "check">): Promise<number> {
  let bytes = 0;
  for (const { name, chunks } of files) {
    lock.check();
    const isWeights = name.endsWith(".safetensors");
    await writeFileSafely(join(out, name), isWeights ? counted(chunks, (count) => (bytes += count)) : chunks);
  }
  return bytes;
}

const resultOf = ({ step, examples, tokens, loss, evaluation }: Seen, seconds: number, bytes: number): RunResult => ({
  steps: step,
  examples,
  tokens,
  seconds,
  tokens_per_second: tokens / seconds,
  peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
  loss: loss ?? null,
  evaluation: evaluation ?? null,
  bytes,
});

/** A run that broke off by what it computed says why, if a tensor of the base is to blame, and which checkpoint is left. */
async function explained(error: unknown, out: string, base: HfModel): Promise<unknown> {
  if (!(error instanceof RunError)) return error;
  const source = await strangeTensor(base);
  if (source !== undefined) return new InputError(source);
  const { snapshot } = await loadLatestSnapshot(out);
  const left = snapshot ? `; the checkpoint of step ${snapshot.step} is kept in ${snapshot.path}` : "";
  return new RunError(`${error.message}${left}`);
}
