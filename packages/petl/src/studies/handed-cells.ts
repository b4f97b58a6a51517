import type { Job } from "@petl/core";
import type { Executor, TaskOf } from "../executors/task.ts";
import { answered, type Finished, forget, forgetAll, idOf, resultsIn, writeJob } from "./cell-files.ts";

/** A study's jobs, as an executor has them done. */
export interface HandedCells {
  /** Has jobs done, in any order; their results are given as they come. */
  run(jobs: readonly Job[]): AsyncIterable<Finished>;
  /** Takes back what is not done. */
  close(): Promise<void>;
}

interface Ways {
  /** what workers know the study's folder by */
  readonly name: string;
  /** milliseconds between looks for results */
  readonly lookEvery: number;
  /** Told when nothing has come back for half a minute, and again after each more. */
  readonly silent: (seconds: number) => void;
}

/** Milliseconds without a result until that is said. */
const patience = 30_000;

/** Hands a study's jobs out, and again where the executor may have lost them, until somebody has told what came of them. */
export function handedCells(
  out: string,
  executor: Executor<TaskOf<"cells">>,
  { name, lookEvery, silent }: Ways,
  signal: AbortSignal | undefined,
): HandedCells {
  const open = new Map<string, Job>();
  return {
    async *run(jobs) {
      for (const job of jobs) {
        const id = idOf(name, job);
        open.set(id, job);
        await writeJob(out, id, job);
      }
      let last = Date.now();
      while (open.size > 0) {
        signal?.throwIfAborted();
        const told = new Set(await answered(out));
        for (const [id, job] of [...open]) {
          if (!told.has(id)) {
            await executor.hand({ kind: "cells", id, out: name });
            continue;
          }
          yield { job, results: await resultsIn(out, id) };
          open.delete(id);
          await forget(out, id);
          last = Date.now();
        }
        if (Date.now() - last > patience) {
          silent(patience / 1000);
          last = Date.now();
        }
        await new Promise((resolve) => setTimeout(resolve, lookEvery));
      }
    },
    async close() {
      await forgetAll(out);
    },
  };
}
