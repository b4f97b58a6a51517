import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Cell, InputError, type Job, type Json, type Measured, parsedJson, RunError } from "@petl/core";
import { z } from "zod";
import { namesIn } from "../disk/files.ts";
import { writeFileSafely } from "../disk/safe-write.ts";
import { sha256 } from "../disk/sha256.ts";
import { writeFirst } from "../disk/write-first.ts";
import { MachineError } from "../machine-error.ts";

/** What came of a job. */
export interface Finished {
  readonly job: Job;
  readonly results: readonly { readonly cell: Cell; readonly measured: Measured }[];
}

type Results = Finished["results"];

/** What whoever worked at cells tells of them. */
export type CellsAnswer =
  | { readonly kind: "results"; readonly results: Results }
  | { readonly kind: "error"; readonly name: string; readonly problems: readonly string[] };

/**
 * Cells that are handed out, as two files in the study's folder: `cells/ID.json`, what is to be done, and
 * `cells/ID.results.json`, what came of it, which the first one to end writes and nobody after it.
 */
const jobFile = (out: string, id: string): string => join(out, "cells", `${id}.json`);
const resultsFile = (out: string, id: string): string => join(out, "cells", `${id}.results.json`);

/** A job's id, of which no other study has one. */
export function idOf(study: string, { fit, seed, cells }: Job): string {
  const text = `${study} ${JSON.stringify([fit, seed, cells])}`;
  return `cells-${sha256(text).slice(0, 40)}`;
}

export const isCellsId = (id: string): boolean => /^cells-[0-9a-f]{40}$/.test(id);

export const writeJob = (out: string, id: string, job: Job): Promise<void> =>
  writeFileSafely(jobFile(out, id), [Buffer.from(JSON.stringify(job))]);

const json: z.ZodType<Json> = z.json();
const storedJob: z.ZodType<Job> = z.strictObject({
  fit: z
    .strictObject({
      method: z.string(),
      options: z.record(z.string(), json),
      lr: z.number(),
      steps: z.int().positive(),
      batch: z.int().positive(),
      schedule: z.enum(["linear", "constant"]),
      rows: z.union([z.enum(["all", "selection"]), z.int().positive()]),
    })
    .nullable(),
  seed: z.int().nonnegative(),
  cells: z.array(z.record(z.string(), json)),
});

/** A job that is still to be done; undefined where somebody has done it, or the study has ended or has taken it back. */
export async function openJob(out: string, id: string): Promise<Job | undefined> {
  if ((await answered(out)).includes(id)) return undefined;
  const text = await readFile(jobFile(out, id), "utf8").catch(() => undefined);
  return text === undefined ? undefined : storedJob.safeParse(parsedJson(text)).data;
}

/** Tells what came of a job; whatever comes later changes nothing. */
export const tellAnswer = (out: string, id: string, answer: CellsAnswer): Promise<boolean> =>
  writeFirst(resultsFile(out, id), answer);

/** The ids of the jobs that somebody has told an answer of. */
export async function answered(out: string): Promise<readonly string[]> {
  const names = await namesIn(join(out, "cells"));
  return names.flatMap((name) => /^(cells-\w+)\.results\.json$/.exec(name)?.[1] ?? []);
}

const storedAnswer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("results"), results: z.array(z.custom<Results[number]>()) }),
  z.object({ kind: z.literal("error"), name: z.string(), problems: z.array(z.string()) }),
]);

/**
 * What came of a job.
 * @throws what whoever worked at it met
 */
export async function resultsIn(out: string, id: string): Promise<Results> {
  const answer = storedAnswer.parse(parsedJson(await readFile(resultsFile(out, id), "utf8")));
  if (answer.kind === "results") return answer.results;
  await forget(out, id); // the same command tries again
  throw errorOf(answer);
}

/** Removes what is known of a job. */
export async function forget(out: string, id: string): Promise<void> {
  await Promise.all([jobFile(out, id), resultsFile(out, id)].map((path) => rm(path, { force: true })));
}

/** Removes what is known of any job. */
export const forgetAll = (out: string): Promise<void> => rm(join(out, "cells"), { recursive: true, force: true });

/** An error as another process can be told of it. */
export function errorAnswer(error: unknown): CellsAnswer {
  const name = error instanceof Error ? error.name : "Error";
  if (error instanceof InputError) return { kind: "error", name, problems: error.problems };
  const text = error instanceof Error ? (name === "Error" ? String(error.stack) : error.message) : String(error);
  return { kind: "error", name, problems: [text] };
}

/** The error that another process met, as one of this process. */
function errorOf({ name, problems }: Extract<CellsAnswer, { kind: "error" }>): Error {
  if (name === "InputError") return new InputError(problems);
  if (name === "RunError") return new RunError(problems.join("; "));
  if (name === "MachineError") return new MachineError(problems.join("; "));
  return new Error(problems.join("\n"));
}
