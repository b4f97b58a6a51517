import { join } from "node:path";
import {
  countParameters,
  type Evaluation,
  InputError,
  type ParameterCounts,
  RunError,
  type TrainingEvent,
  train,
} from "@petl/core";
import { type AppendLog, openAppendLog } from "../disk/append-log.ts";
import { removeFolderSafely, writeFileSafely } from "../disk/safe-write.ts";
import { loadLatestSnapshot, saveSnapshot } from "../disk/snapshots.ts";
import { strangeTensor } from "../disk/strange-numbers.ts";
import { workerEngine } from "../engine/worker-engine.ts";
import { adapterFiles, counted, type NamedFile } from "../library/save.ts";
import type { PreparedRun } from "./prepare.ts";
import type { RunRecord } from "./record.ts";
import { readState, type SavedState, stateFiles } from "./state-files.ts";

/** What a finished run says of itself; `petl train --json` prints it. */
export interface RunSummary extends ParameterCounts {
  readonly method: string;
  readonly steps: number;
  readonly examples: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly tokens_per_second: number;
  /** of the whole process, mapped pages of files included */
  readonly peak_rss_bytes: number;
  /** of the last step */
  readonly loss: number | null;
  readonly evaluation: Evaluation | null;
  readonly adapter_bytes: number;
  readonly out: string;
}

/** How a run is watched and ended. */
export interface Watch {
  /** every event, with the seconds since the run began */
  readonly onEvent: (event: TrainingEvent, seconds: number) => void;
  readonly remark: (text: string) => void;
  readonly stop: { readonly aborted: boolean };
}

/** What of a run's record and of what was prepared is needed to carry it out. */
export type ExecutedRecord = Pick<RunRecord, "base" | "base_folder" | "methods" | "settings" | "threads" | "log_every">;
export type ExecutedRun = Pick<
  PreparedRun,
  "base" | "adapted" | "phi" | "examples" | "validation" | "masking" | "labels"
>;

export interface ExecuteOptions {
  readonly resume?: boolean;
  /** what the run leaves in its folder; the adapter where left out */
  readonly files?: () => Promise<readonly NamedFile[]>;
}

const metricsFile = "metrics.jsonl";

/**
 * Trains, and writes into the run's folder: a line of metrics.jsonl per logged step and evaluation, checkpoints, and at
 * the end the adapter. With `resume` it goes on from the newest whole checkpoint, or from the start where there is none.
 * Returns undefined where it was stopped.
 */
export async function executeRun(
  out: string,
  record: ExecutedRecord,
  prepared: ExecutedRun,
  { onEvent, remark, stop }: Watch,
  { resume = false, files = () => resultFiles(record, prepared) }: ExecuteOptions = {},
): Promise<RunSummary | undefined> {
  const saved = resume ? await savedState(out, remark) : undefined;
  const log = openAppendLog(join(out, metricsFile), resume ? { resumeAfter: saved?.step ?? 0 } : {});
  const engine = await workerEngine(record.base_folder, prepared.base.checkpoint?.files ?? [], {
    threads: record.threads,
  });
  const begin = performance.now();
  const seconds = () => (saved?.seconds ?? 0) + (performance.now() - begin) / 1000;
  const progress: Progress = { step: saved?.step ?? 0, tokens: saved?.tokens ?? 0, loss: null, evaluation: null };
  try {
    const run = { engine, ...prepared, settings: record.settings, resume: saved, stop };
    for await (const event of train(run)) {
      const now = seconds();
      onEvent(event, now);
      note(progress, event);
      writeMetrics(log, event, now, record.log_every);
      if (event.kind === "checkpoint") {
        log.sync();
        await saveSnapshot(out, event.state.step, stateFiles({ ...event.state, seconds: now }));
      }
      if (event.kind === "end" && event.reason === "stopped") return undefined;
    }
    log.sync();
    const trained = seconds();
    const adapterBytes = await writeResult(out, await files());
    await removeFolderSafely(join(out, "checkpoints"));
    return summary(out, record, prepared, progress, trained, adapterBytes);
  } catch (error) {
    if (progress.step === 0 && !resume) await removeFolderSafely(out); // there is nothing to go on with
    throw await explained(error, out, prepared);
  } finally {
    log.close();
    await engine.close();
  }
}

interface Progress {
  step: number;
  tokens: number;
  loss: number | null;
  evaluation: Evaluation | null;
}

function note(progress: Progress, event: TrainingEvent): void {
  if (event.kind === "step") Object.assign(progress, { step: event.step, tokens: event.tokens, loss: event.loss });
  if (event.kind === "evaluation") progress.evaluation = event.evaluation;
}

function writeMetrics(log: AppendLog, event: TrainingEvent, seconds: number, every: number): void {
  if (event.kind === "step" && event.step % every === 0) {
    const { kind: _, ...metrics } = event;
    log.append({ ...metrics, seconds: Math.round(seconds * 1000) / 1000 });
  }
  if (event.kind === "evaluation") {
    const { kind: _, ...metrics } = event;
    log.append(metrics);
  }
}

async function savedState(out: string, remark: (text: string) => void): Promise<SavedState | undefined> {
  const { snapshot, warnings } = await loadLatestSnapshot(out);
  for (const warning of warnings) remark(warning);
  remark(snapshot ? `going on from step ${snapshot.step}` : "no checkpoint yet: starting again from the first step");
  return snapshot && readState(snapshot.files);
}

/** The adapter, or the whole model for full fine-tuning. */
const resultFiles = (record: ExecutedRecord, prepared: ExecutedRun): Promise<readonly NamedFile[]> =>
  adapterFiles({ ...prepared, base: { ...prepared.base, name: record.base, path: record.base_folder } });

/** Writes the result; its configuration comes last, which marks the run as done. Returns the bytes of its weights. */
async function writeResult(out: string, files: readonly NamedFile[]): Promise<number> {
  let bytes = 0;
  for (const { name, chunks } of files) {
    const isWeights = name.endsWith(".safetensors");
    await writeFileSafely(join(out, name), isWeights ? counted(chunks, (count) => (bytes += count)) : chunks);
  }
  return bytes;
}

function summary(
  out: string,
  record: ExecutedRecord,
  { adapted, examples }: ExecutedRun,
  { step, tokens, loss, evaluation }: Progress,
  seconds: number,
  adapterBytes: number,
): RunSummary {
  return {
    method: record.methods.map(({ name }) => name).join("+"),
    ...countParameters(adapted),
    steps: step,
    examples: examples.length,
    tokens,
    seconds,
    tokens_per_second: tokens / seconds,
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    loss,
    evaluation,
    adapter_bytes: adapterBytes,
    out,
  };
}

/** A run that broke off by what it computed says why, if a tensor of the base is to blame, and which checkpoint is left. */
async function explained(error: unknown, out: string, { base }: ExecutedRun): Promise<unknown> {
  if (!(error instanceof RunError)) return error;
  const source = await strangeTensor(base);
  if (source !== undefined) return new InputError(source);
  const { snapshot } = await loadLatestSnapshot(out);
  const left = snapshot ? `; the checkpoint of step ${snapshot.step} is kept in ${snapshot.path}` : "";
  return new RunError(`${error.message}${left}`);
}
