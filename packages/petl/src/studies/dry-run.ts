import { availableParallelism } from "node:os";
import type { Cell } from "@petl/core";
import { costsOf } from "./costs.ts";
import { openRecords, takenOver } from "./other-records.ts";
import { prepareStudy } from "./prepare-study.ts";
import { keyOf } from "./same-trainings.ts";
import { outOf, type StudyOptions } from "./study.ts";

/** A study's grid, with what it is likely to cost. */
interface DryRun {
  readonly cells: readonly {
    readonly cell: Cell;
    readonly seed: number;
    /** those that it costs: none where it is taken over */
    readonly steps: number;
    readonly taken_from?: string | undefined;
  }[];
  /** of what is left to train and to score */
  readonly estimate: { readonly seconds: number; readonly memory_bytes: number };
}

/** Plans a study and trains nothing. */
export async function dryRun(name: string, options: StudyOptions): Promise<DryRun> {
  const prepared = await prepareStudy(name, options);
  const out = outOf(name, options);
  const taken = takenOver(prepared, await openRecords(prepared, options.reuse ?? [], out), []);
  const froms = new Map(taken.map((record) => [keyOf(record), record.taken_from]));
  const planned = prepared.study.plan(prepared.setup, taken);
  const left = planned.filter((cell) => !froms.has(keyOf(cell)));
  const costs = costsOf(prepared);
  const jobs = options.jobs ?? availableParallelism();
  return {
    cells: planned.map(({ cell, seed, steps }) => {
      const from = froms.get(keyOf({ cell, seed }));
      return { cell, seed, ...(from === undefined ? { steps } : { steps: 0, taken_from: from }) };
    }),
    estimate: {
      seconds: costs.secondsOf(left) / jobs,
      memory_bytes: Math.round(jobs * costs.memoryOf(left)),
    },
  };
}
