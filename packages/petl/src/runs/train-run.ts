import {
  type CacheChoice,
  countParameters,
  type Evaluation,
  nextSteps,
  type ParameterCounts,
  pickSettings,
  type StopSignal,
  type TrainingFacts,
  trainingSettings,
  trainSteps,
  watchTraining,
} from "@petl/core";
import { machineCache } from "../library/machine-cache.ts";
import { filesWithCard } from "../library/save.ts";
import type { OpenRun } from "./open-run.ts";
import { type RunResult, type StoreOptions, storeRun, type Watch } from "./store-run.ts";

/** What a finished run says of itself; `petl train --json` prints it. */
export interface RunSummary extends ParameterCounts, Omit<RunResult, "bytes"> {
  readonly method: string;
  readonly adapter_bytes: number;
  readonly out: string;
  /** in words */
  readonly try_next: readonly string[];
}

/** What a run's model card says of the training. */
export const factsOf = (
  { training, dataSha256 }: Pick<OpenRun, "training" | "dataSha256">,
  evaluation: Evaluation | null | undefined,
): TrainingFacts => ({
  dataSha256,
  rows: training.examples.length,
  evaluation,
  settings: pickSettings(trainingSettings, training.settings),
});

interface TrainRunOptions extends StoreOptions, CacheChoice {
  readonly id: string;
  readonly logEvery: number;
  /** once aborted, the run ends after the step under way, with a checkpoint */
  readonly signal: StopSignal;
}

/** Trains an open run in its folder, from the start or from where it was, and leaves the adapter there. */
export async function trainRun(
  out: string,
  run: Pick<OpenRun, "base" | "model" | "training" | "dataSha256">,
  watch: Watch,
  { resume, lock, id, logEvery, signal, ...kept }: TrainRunOptions,
): Promise<RunSummary> {
  const { base, model, training } = run;
  const cache = await machineCache(kept, watch.remark);
  let evaluation: Evaluation | undefined;
  const stored = {
    base,
    logEvery,
    id,
    events: (state: Parameters<typeof trainSteps>[0]["resume"]) =>
      trainSteps({ ...training, cache, resume: state, signal }),
    files: () => filesWithCard(model, factsOf(run, evaluation)),
  };
  const seen = watchTraining();
  const watching: Watch = {
    ...watch,
    onEvent(event, seconds) {
      seen.see(event);
      if (event.kind === "end") evaluation = event.evaluation;
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
    try_next: nextSteps({ ...seen.end(), rows: training.examples.length }),
  };
}
