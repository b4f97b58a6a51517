import { availableParallelism } from "node:os";
import { join } from "node:path";
import {
  type Cell,
  InternalError,
  isWaiting,
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
import { costsOf } from "./costs.ts";
import { type HandedCells, handedCells } from "./handed-cells.ts";
import { type OtherRecords, openRecords, takenOver } from "./other-records.ts";
import { type PreparedStudy, prepareStudy, type StudyRequest } from "./prepare-study.ts";
import { openRecordLog, type RecordLog } from "./record-log.ts";
import { writeResults } from "./results.ts";
import { keyOf, missing, refuseOtherTrainings } from "./same-trainings.ts";
import { sharedName } from "./shared-cells.ts";
import { holdFolder, takeFolder } from "./study-folder.ts";
import { writeRows } from "./study-rows.ts";

/** How far a study is. */
export interface StudyProgress {
  /** in all, as far as they are known */
  readonly cells: number;
  /** finished, some of them perhaps before */
  readonly done: number;
  /** worked at now; undefined where that is a queue's affair */
  readonly running: number | undefined;
  /** seconds of one core that what is left should take, as a plan counts them */
  readonly work: number;
}

/** What happens in a study, in its order. */
export type StudyEvent =
  | { readonly kind: "remark"; readonly text: string }
  | ({ readonly kind: "start"; readonly out: string } & StudyProgress)
  | ({ readonly kind: "taken"; readonly records: readonly StudyRecord[] } & StudyProgress)
  | ({ readonly kind: "record"; readonly record: StudyRecord } & StudyProgress)
  | { readonly kind: "end"; readonly summary: Summary; readonly out: string };

/** How a study is carried out; none of it changes a record's numbers but those of time and memory. */
export interface StudyOptions extends StudyRequest {
  /** folders of studies of the same base and rows, whose finished records serve where they are of the same trainings */
  readonly reuse?: readonly string[] | undefined;
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

/** The folder that a study is kept in. */
export const outOf = (name: string, { out = `petl-study-${name}` }: Pick<StudyOptions, "out">): string => out;

/**
 * Carries a study out, or goes on with the one in its folder: what `petl study NAME` does. Finished cells are never
 * worked at again.
 *
 * @throws InputError for what the caller can mend: another study in the folder, another process that works there
 */
export async function* study(name: string, options: StudyOptions): AsyncGenerator<StudyEvent, void, void> {
  const prepared = await prepareStudy(name, options);
  const { jobs = availableParallelism(), overwrite = false, signal } = options;
  const out = outOf(name, options);
  if (options.queue) await queueKindOf(options.queue.url); // refused before a folder is touched
  const { study: rule, setup, context, sets } = prepared;
  const planned = rule.plan(setup, []); // what does not fit is refused before a folder is touched
  const others = await openRecords(prepared, options.reuse ?? [], out);
  for (const text of [...prepared.remarks, ...others.remarks]) yield { kind: "remark", text };
  const release = await holdFolder(out);
  try {
    await takeFolder(out, context, overwrite);
    await writeRows(out, sets, { task: context.task, counts: rowCounts(planned) });
    const log = openRecordLog(join(out, "records.jsonl"));
    let handed: HandedCells | undefined;
    try {
      refuseOtherTrainings(out, context, rule.plan(setup, log.records), log.records);
      handed = await cellsOf(prepared, out, { ...options, jobs });
      const progress = progressOf(prepared, log, options.queue ? undefined : jobs);
      yield { kind: "start", ...progress(jobsOf(missing(rule.plan(setup, log.records), log.records))), out };
      yield* workOff(prepared, { log, others, handed, progress }, signal);
      yield { kind: "end", summary: await writeResults(out, rule, context, log.records), out };
    } finally {
      await handed?.close();
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
      `no cell came back for ${seconds} s; \`petl worker\` with \`queue\` and a \`shared\` that holds ${out} works at them`,
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
    planned.flatMap(({ fit }) => {
      const rows = isWaiting(fit) ? fit.waits.rows : fit?.rows;
      return typeof rows === "number" ? [rows] : [];
    }),
  ),
];

interface WorkPlace {
  readonly log: RecordLog;
  readonly others: OtherRecords;
  readonly handed: HandedCells;
  readonly progress: Progress;
}

/** Works at what is not done and not to be taken over, until nothing is left, since some cells wait for others. */
async function* workOff(
  prepared: PreparedStudy,
  { log, others, handed, progress }: WorkPlace,
  signal: AbortSignal | undefined,
): AsyncGenerator<StudyEvent, void, void> {
  const { study: rule, setup, context } = prepared;
  for (;;) {
    const taken = takenOver(prepared, others, log.records);
    if (taken.length > 0) log.append(taken);
    const planned = rule.plan(setup, log.records);
    const jobs = jobsOf(missing(planned, log.records));
    if (taken.length > 0) yield { kind: "taken", records: taken, ...progress(jobs) };
    if (jobs.length === 0) {
      if (planned.some(({ fit }) => isWaiting(fit))) throw new InternalError(`${rule.name}: cells wait for nothing`);
      return;
    }
    const unfinished = new Set(jobs);
    for await (const { job, results } of handed.run(jobs)) {
      const records = results.map(
        ({ cell, measured }): StudyRecord => ({
          study: rule.name,
          cell,
          seed: job.seed,
          ...measured,
          base_sha256: context.base_sha256,
          petl: version,
        }),
      );
      log.append(records);
      unfinished.delete(job);
      for (const record of records) yield { kind: "record", record, ...progress([...unfinished]) };
      signal?.throwIfAborted();
    }
  }
}

type Progress = (unfinished: readonly Job[]) => StudyProgress;

/** Tells how far a study is, given the jobs that are not finished in the order in which they are begun. */
function progressOf(prepared: PreparedStudy, log: RecordLog, atATime: number | undefined): Progress {
  const { study: rule, setup } = prepared;
  const costs = costsOf(prepared);
  return (unfinished) => {
    const planned = rule.plan(setup, log.records);
    const done = new Set(log.records.map(keyOf));
    const left = planned.filter((cell) => !done.has(keyOf(cell)));
    const begun = unfinished.slice(0, atATime).reduce((sum, { cells }) => sum + cells.length, 0);
    return {
      cells: planned.length,
      done: planned.length - left.length,
      work: costs.secondsOf(left),
      running: atATime === undefined ? undefined : begun,
    };
  };
}

/** Cells that come of the same training together. */
function jobsOf(planned: readonly PlannedCell[]): readonly Job[] {
  const jobs = new Map<string, { fit: Job["fit"]; seed: number; cells: Cell[] }>();
  for (const { cell, seed, fit } of planned) {
    if (isWaiting(fit)) continue;
    const key = `${JSON.stringify(fit)} ${seed}`;
    const job = jobs.get(key) ?? { fit, seed, cells: [] };
    job.cells.push(cell);
    jobs.set(key, job);
  }
  return [...jobs.values()];
}
