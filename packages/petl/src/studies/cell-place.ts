import { studies } from "@petl/core";
import type { TaskOf, Work } from "../executors/task.ts";
import { type OpenBench, openBench } from "./bench.ts";
import { type CellsAnswer, errorAnswer, type Finished, openJob, tellAnswer } from "./cell-files.ts";
import type { StudyContext } from "./context.ts";

/**
 * Somewhere to work at a study's cells, which holds things open from one task to the next. Its work tells what came of a
 * task, an error too, and throws only what breaks it off.
 */
export interface CellPlace {
  readonly work: Work<TaskOf<"cells">>;
  close(): Promise<void>;
}

/** At a bench of this process: one task behind the other, over one open base. */
export function ownBench(out: string, folder: string, context: StudyContext): CellPlace {
  let bench: Promise<OpenBench> | undefined;
  return {
    async work({ id }, signal) {
      bench ??= openBench(out, folder, context, signal);
      return workAt(await bench, out, context.study, id, signal);
    },
    async close() {
      await (await bench)?.close();
    },
  };
}

/** Works at a job's cells and tells what came of them, an error too; where they are done already, nothing is left to do. */
export async function workAt(
  bench: OpenBench,
  out: string,
  study: string,
  id: string,
  signal?: AbortSignal,
): Promise<string> {
  const job = await openJob(out, id);
  if (!job) return "gone";
  await tellAnswer(out, id, await answerOf(bench, study, job).catch(errorUnless(signal)));
  return "told";
}

/** An error as an answer, but for those of a work that is broken off. */
export const errorUnless =
  (signal: AbortSignal | undefined) =>
  (error: unknown): CellsAnswer => {
    if (signal?.aborted) throw error;
    return errorAnswer(error);
  };

async function answerOf(bench: OpenBench, name: string, job: Finished["job"]): Promise<CellsAnswer> {
  const results: Finished["results"][number][] = [];
  const study = studies.find((each) => each.name === name);
  for await (const result of study?.work(bench, job) ?? []) results.push(result);
  return { kind: "results", results };
}
