import { availableParallelism } from "node:os";
import type { Cell } from "@petl/core";
import { costsOf } from "./costs.ts";
import { prepareStudy } from "./prepare-study.ts";
import type { StudyOptions } from "./study.ts";

/** A study's grid, with what it is likely to cost. */
interface DryRun {
  readonly cells: readonly { readonly cell: Cell; readonly seed: number; readonly steps: number }[];
  readonly estimate: { readonly seconds: number; readonly memory_bytes: number };
}

/** Plans a study and trains nothing. */
export async function dryRun(name: string, options: StudyOptions): Promise<DryRun> {
  const prepared = await prepareStudy(name, options);
  const planned = prepared.study.plan(prepared.setup, []);
  const costs = costsOf(prepared);
  const jobs = options.jobs ?? availableParallelism();
  return {
    cells: planned.map(({ cell, seed, steps }) => ({ cell, seed, steps })),
    estimate: {
      seconds: costs.secondsOf(planned) / jobs,
      memory_bytes: Math.round(jobs * costs.memoryOf(planned)),
    },
  };
}
