import { readFile } from "node:fs/promises";
import { InputError, type Job, type Json } from "@petl/core";
import { z } from "zod";
import { directory } from "../disk/files.ts";
import { parsedJson } from "../disk/parsed-json.ts";
import type { QueueTask } from "../jobs/queue-kinds.ts";
import { weightsDigest } from "../library/digests.ts";
import { locate } from "../library/locate.ts";
import { childProcesses, errorAnswer } from "./child-processes.ts";
import { readContext, type StudyContext } from "./context.ts";
import { jobFile, sharedFolder, tellAnswer } from "./queued-cells.ts";

/**
 * A worker's part of a study: the cells of one task, in a process of their own, so that the worker's beat never stalls.
 * @throws InputError where the study is not in the shared folder
 */
export async function workAtCells(
  shared: string,
  task: Extract<QueueTask, { kind: "cells" }>,
  signal: AbortSignal,
): Promise<"told" | "gone"> {
  const out = await sharedFolder(shared, task);
  const [job, context] = [await jobIn(jobFile(out, task.id)), await readContext(out)];
  if (!job || !context) return "gone";
  try {
    const executor = childProcesses(out, await baseOf(context, signal), 1, signal);
    try {
      for await (const { results } of executor.run([job])) await tellAnswer(out, task.id, { kind: "results", results });
    } finally {
      await executor.close();
    }
  } catch (error) {
    if (signal.aborted) throw error;
    await tellAnswer(out, task.id, errorAnswer(error));
  }
  return "told";
}

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

/** The job of a task; undefined where the study has ended or has taken it back. */
async function jobIn(path: string): Promise<Job | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : storedJob.safeParse(parsedJson(text)).data;
}

/** The study's base on this machine. */
async function baseOf({ base, base_sha256 }: StudyContext, signal: AbortSignal): Promise<string> {
  const folder = await locate(base, { signal });
  if ((await weightsDigest(directory(folder), signal)) === base_sha256) return folder;
  throw new InputError(`the base ${base} has other weights on a worker's machine than on the study's`);
}
