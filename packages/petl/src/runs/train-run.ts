import {
  type CacheMode,
  countParameters,
  type ParameterCounts,
  type StopSignal,
  trainSteps,
  watchTraining,
} from "@petl/core";
import { adapterFiles } from "../library/save.ts";
import type { OpenRun } from "./open-run.ts";
import { runCache } from "./run-cache.ts";
import { type RunResult, type StoreOptions, storeRun, type Watch } from "./store-run.ts";

/** What a finished run says of itself; `petl train --json` prints it. */
export interface RunSummary extends ParameterCounts, Omit<RunResult, "bytes"> {
  readonly method: string;
  readonly adapter_bytes: number;
  readonly out: string;
}

interface TrainRunOptions extends StoreOptions {
  readonly id: string;
  readonly logEvery: number;
  /** where and how much is kept from epoch to epoch */
  readonly cache: CacheMode;
  readonly cacheSize?: number | undefined;
  /** once aborted, the run ends after the step under way, with a checkpoint */
  readonly signal: StopSignal;
}

/** Trains an open run in its folder, from the start or from where it was, and leaves the adapter there. */
export async function trainRun(
  out: string,
  { base, model, training }: Pick<OpenRun, "base" | "model" | "training">,
  watch: Watch,
  { resume, lock, id, logEvery, cache: mode, cacheSize, signal }: TrainRunOptions,
): Promise<RunSummary> {
  const cache = await runCache(mode, cacheSize, watch.remark);
  const stored = {
    ...{ base, logEvery, id },
    events: (state: Parameters<typeof trainSteps>[0]["resume"]) =>
      trainSteps({ ...training, cache, resume: state, signal }),
    files: () => adapterFiles(model), // the whole model for full fine-tuning
  };
  const seen = watchTraining();
  const watching: Watch = {
    ...watch,
    onEvent(event, seconds) {
      seen.see(event);
      watch.onEvent(event, seconds);
    },
  };
  const { bytes, ...result } = await storeRun(out, stored, watching, { resume, lock });
  for (const remark of seen.remarks()) watch.remark(remark);
  const { methods } = model.adapted;
  return {
    method: methods.map(({ name }) => name).join("+"),
    ...countParameters(model.adapted),
    ...result,
    adapter_bytes: bytes,
    out,
  };
}
