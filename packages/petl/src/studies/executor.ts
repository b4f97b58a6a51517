import { type Cell, type Job, type Measured, studies } from "@petl/core";
import { type OpenBench, openBench } from "./bench.ts";
import type { StudyContext } from "./context.ts";

/** What came of a job. */
export interface Finished {
  readonly job: Job;
  readonly results: readonly { readonly cell: Cell; readonly measured: Measured }[];
}

/** Where jobs are carried out: in this process, in several, or on machines that share a queue. */
export interface Executor {
  /** Carries jobs out, in any order; their results are given as they come. */
  run(jobs: readonly Job[]): AsyncIterable<Finished>;
  close(): Promise<void>;
}

/** Carries jobs out in this process, one behind the other, over one open base. */
export function inProcess(
  out: string,
  folder: string,
  context: StudyContext,
  signal: AbortSignal | undefined,
): Executor {
  let bench: Promise<OpenBench> | undefined;
  return {
    async *run(jobs) {
      bench ??= openBench(out, folder, context, signal);
      for (const job of jobs) {
        signal?.throwIfAborted();
        yield { job, results: await resultsOf(await bench, context.study, job) };
      }
    },
    async close() {
      await (await bench)?.close();
    },
  };
}

/** A job's work, done at a bench. */
export async function resultsOf(bench: OpenBench, name: string, job: Job): Promise<Finished["results"]> {
  const results: { cell: Cell; measured: Measured }[] = [];
  const study = studies.find((each) => each.name === name);
  for await (const result of study?.work(bench, job) ?? []) results.push(result);
  return results;
}
