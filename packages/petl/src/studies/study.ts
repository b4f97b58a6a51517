import { availableParallelism } from "node:os";
import { join } from "node:path";
import {
  type Cell,
  canonical,
  InternalError,
  type Job,
  type PlannedCell,
  type StudyRecord,
  type Summary,
} from "@petl/core";
import { localExecutor } from "../executors/local-executor.ts";
import { outage } from "../executors/outage.ts";
import { queueExecutor } from "../executors/queue-executor.ts";
import { queueKindOf } from "../executors/queue-kinds.ts";
import { version } from "../version.ts";
import { cellChildren } from "./cell-children.ts";
import { ownBench } from "./cell-place.ts";
import { type HandedCells, handedCells } from "./handed-cells.ts";
import { type PreparedStudy, prepareStudy, type StudyRequest } from "./prepare-study.ts";
import { openRecordLog, type RecordLog } from "./record-log.ts";
import { writeResults } from "./results.ts";
import { sharedName } from "./shared-cells.ts";
import { holdFolder, takeFolder } from "./study-folder.ts";
import { writeRows } from "./study-rows.ts";

/** What happens in a study, in its order. */
export type StudyEvent =
  | { readonly kind: "remark"; readonly text: string }
  /** cells in all, as far as they are known, and those that were finished before */
  | { readonly kind: "start"; readonly cells: number; readonly done: number; readonly out: string }
  | { readonly kind: "record"; readonly record: StudyRecord; readonly cells: number; readonly done: number }
  | { readonly kind: "end"; readonly summary: Summary; readonly out: string };

/** How a study is carried out; none of it changes a record. */
export interface StudyOptions extends StudyRequest {
  /** receives records, summary, figures and report; `petl-study-NAME` where left out */
  readonly out?: string | undefined;
  /** cells at a time; as many as the machine has cores where left out */
  readonly jobs?: number | undefined;
  readonly overwrite?: boolean | undefined;
  /** hands the cells out to workers instead of working at them here */
  readonly queue?: CellQueue | undefined;
  /** receives what happens beside the study: an outage of the queue */
  readonly onRemark?: ((text: string) => void) | undefined;
}

/**
 * Carries a study out, or goes on with the one in its folder: what `petl study NAME` does. Finished cells are never
 * worked at again.
 *
 * @throws InputError for what the caller can mend: another study in the folder, another process that works there
 */
export async function* study(name: string, options: StudyOptions): AsyncGenerator<StudyEvent, void, void> {
  const { out = `petl-study-${name}`, jobs = availableParallelism(), overwrite = false, signal } = options;
  if (options.queue) await queueKindOf(options.queue.url); // refused before a folder is touched
  const prepared = await prepareStudy(name, options);
  const { study: rule, setup, context, sets } = prepared;
  const planned = rule.plan(setup, []); // what does not fit is refused before a folder is touched
  for (const text of prepared.remarks) yield { kind: "remark", text };
  const release = await holdFolder(out);
  try {
    await takeFolder(out, context, overwrite);
    await writeRows(out, sets, { task: context.task, counts: rowCounts(planned) });
    const log = openRecordLog(join(out, "records.jsonl"));
    const handed = await cellsOf(prepared, out, { ...options, jobs });
    try {
      yield { kind: "start", ...progressOf(prepared, log), out };
      yield* workOff(prepared, log, handed, signal);
      yield { kind: "end", summary: await writeResults(out, rule, context, log.records), out };
    } finally {
      await handed.close();
      log.close();
    }
  } finally {
    await release();
  }
}

/** Where workers of a queue take a study's cells from. */
interface CellQueue {
  readonly url: string;
  /** the folder that workers share, where it has another path on their machines */
  readonly shared?: string | undefined;
}

/** Has cells done where the options say: through a queue, in children, or in this process. */
async function cellsOf(
  prepared: PreparedStudy,
  out: string,
  options: StudyOptions & { readonly jobs: number },
): Promise<HandedCells> {
  const { queue, onRemark: remark = () => undefined, signal } = options;
  if (!queue) return cellsHere(prepared, out, options);
  const name = await sharedName(out, queue.shared);
  const executor = await queueExecutor(queue.url, outage(remark));
  const silent = (seconds: number) =>
    remark(
      `no cell came back for ${seconds} s; \`petl worker\` with --queue and a --shared that holds ${out} works at them`,
    );
  const handed = handedCells(out, executor, { name, lookEvery: 200, silent }, signal);
  return { run: handed.run, close: () => handed.close().finally(executor.close) };
}

/** Has cells done by this process or its children. */
function cellsHere(
  { context, folder }: PreparedStudy,
  out: string,
  { jobs, signal, onRemark: remark = () => undefined }: StudyOptions & { readonly jobs: number },
): HandedCells {
  const place = jobs > 1 ? cellChildren(out, folder) : ownBench(out, folder, context);
  const executor = localExecutor(jobs, place.work, (error) => remark(String(error)));
  const handed = handedCells(out, executor, { name: out, lookEvery: 20, silent: () => undefined }, signal);
  return {
    run: handed.run,
    async close() {
      await executor.close();
      await place.close();
      await handed.close();
    },
  };
}

/** How many rows the trainings on fewer rows have. */
const rowCounts = (planned: readonly PlannedCell[]): readonly number[] => [
  ...new Set(
    planned.flatMap(({ fit }) => (fit !== null && fit !== "waits" && typeof fit.rows === "number" ? [fit.rows] : [])),
  ),
];

/** Works at what is not done until nothing is left, since some cells wait for others. */
async function* workOff(
  prepared: PreparedStudy,
  log: RecordLog,
  handed: HandedCells,
  signal: AbortSignal | undefined,
): AsyncGenerator<StudyEvent, void, void> {
  const { study, setup, context } = prepared;
  for (;;) {
    const planned = study.plan(setup, log.records);
    const jobs = jobsOf(missing(planned, log.records));
    if (jobs.length === 0) {
      if (planned.some(({ fit }) => fit === "waits")) throw new InternalError(`${study.name}: cells wait for nothing`);
      return;
    }
    for await (const { job, results } of handed.run(jobs)) {
      const records = results.map(
        ({ cell, measured }): StudyRecord => ({
          ...{ study: study.name, cell, seed: job.seed, ...measured },
          ...{ base_sha256: context.base_sha256, petl: version },
        }),
      );
      log.append(records);
      for (const record of records) yield { kind: "record", record, ...progressOf(prepared, log) };
      signal?.throwIfAborted();
    }
  }
}

const keyOf = ({ cell, seed }: { readonly cell: Cell; readonly seed: number }): string => `${canonical(cell)} ${seed}`;

/** The cells of a plan that have no record yet. */
function missing(planned: readonly PlannedCell[], records: readonly StudyRecord[]): readonly PlannedCell[] {
  const done = new Set(records.map(keyOf));
  return planned.filter((cell) => cell.fit !== "waits" && !done.has(keyOf(cell)));
}

/** Cells that come of the same training together. */
function jobsOf(planned: readonly PlannedCell[]): readonly Job[] {
  const jobs = new Map<string, { fit: Job["fit"]; seed: number; cells: Cell[] }>();
  for (const { cell, seed, fit } of planned) {
    if (fit === "waits") continue;
    const key = `${JSON.stringify(fit)} ${seed}`;
    const job = jobs.get(key) ?? { fit, seed, cells: [] };
    job.cells.push(cell);
    jobs.set(key, job);
  }
  return [...jobs.values()];
}

function progressOf({ study, setup }: PreparedStudy, { records }: RecordLog) {
  const planned = study.plan(setup, records);
  return {
    cells: planned.length,
    done: planned.length - missing(planned, records).length - planned.filter(({ fit }) => fit === "waits").length,
  };
}
