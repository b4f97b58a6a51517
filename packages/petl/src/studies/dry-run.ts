import { availableParallelism } from "node:os";
import { adapt, type Cell, countParameters, type Fit, methodsByName, readBase } from "@petl/core";
import { directory } from "../disk/files.ts";
import { prepareStudy } from "./prepare-study.ts";
import type { StudyOptions } from "./study.ts";

/** A study's grid, with what it is likely to cost. */
export interface DryRun {
  readonly cells: readonly { readonly cell: Cell; readonly seed: number; readonly steps: number }[];
  readonly estimate: { readonly seconds: number; readonly memory_bytes: number };
}

/** products and sums a second that one core of an ordinary machine makes of small batches */
const speed = 8e9;
/** tokens of a row of text, where nothing is known of it */
const rowTokens = 32;
/** what a process takes without model and activations */
const processBytes = 150e6;

/** Plans a study and trains nothing. */
export async function dryRun(name: string, options: StudyOptions): Promise<DryRun> {
  const { study, setup, context, folder } = await prepareStudy(name, options);
  const base = await readBase(directory(folder));
  const planned = study.plan(setup, []);
  const goal = { task: context.task, labels: Math.max(1, context.labels.length) };
  const size = countParameters(adapt(base, [methodsByName.head.use({})], goal)).base_parameters;
  const jobs = options.jobs ?? availableParallelism();
  const fits = new Map<string, number>();
  for (const { fit, steps, seed, cell } of planned) {
    const key = `${fit === "waits" ? JSON.stringify(cell) : JSON.stringify(fit)} ${seed}`;
    fits.set(key, Math.max(fits.get(key) ?? 0, steps));
  }
  const steps = [...fits.values()].reduce((sum, each) => sum + each, 0);
  const batch = planned.map(({ fit }) => fit).find((fit): fit is Fit => fit !== null && fit !== "waits")?.batch ?? 0;
  const seconds = (steps * 6 * size * batch * rowTokens) / speed / jobs;
  return {
    cells: planned.map(({ cell, seed, steps: each }) => ({ cell, seed, steps: each })),
    estimate: { seconds, memory_bytes: Math.round(jobs * (processBytes + 4 * 5 * size)) },
  };
}
