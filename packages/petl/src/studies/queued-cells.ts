import { readFile, realpath, rm, rmdir } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { InputError, type Job } from "@petl/core";
import { z } from "zod";
import { parsedJson } from "../disk/parsed-json.ts";
import { writeFileSafely } from "../disk/safe-write.ts";
import { writeFirst } from "../disk/write-first.ts";
import type { QueueTask } from "../jobs/queue-kinds.ts";
import { openTaskQueue } from "../jobs/shared-executor.ts";
import { type Answer, errorOf } from "./child-processes.ts";
import { sha256 } from "./digests.ts";
import type { Executor } from "./executor.ts";

/** Where a study's cells are handed out. */
export interface CellQueue {
  readonly url: string;
  /** the folder that workers share, where it has another path on their machines */
  readonly shared?: string | undefined;
}

/** Milliseconds between looks for results, and without any until that is said. */
const [lookEvery, patience] = [200, 30_000];

/**
 * Hands cells out through a queue that workers share. The truth is two files in the study's folder: `cells/ID.json`, what is
 * to be done, and `cells/ID.results.json`, what came of it, which the first worker to end writes and nobody after it.
 */
export async function queuedCells(
  out: string,
  { url, shared }: CellQueue,
  { remark, fault }: { readonly remark: (text: string) => void; readonly fault: (error: unknown) => void },
  signal: AbortSignal | undefined,
): Promise<Executor> {
  const folder = await sharedName(out, shared);
  const queue = await openTaskQueue(url, fault);
  const open = new Map<string, Job>();
  const forget = async (id: string) => {
    open.delete(id);
    await Promise.all([jobFile(out, id), resultsFile(out, id)].map((path) => rm(path, { force: true })));
  };
  return {
    async *run(jobs) {
      for (const job of jobs) {
        const id = idOf(folder, job);
        open.set(id, job);
        await writeFileSafely(jobFile(out, id), [Buffer.from(JSON.stringify(job))]);
      }
      let last = Date.now();
      while (open.size > 0) {
        signal?.throwIfAborted();
        for (const [id, job] of [...open]) {
          const answer = await answerIn(out, id);
          if (answer) {
            await forget(id);
            if (answer.kind === "error") throw errorOf(answer);
            last = Date.now();
            yield { job, results: answer.results };
          } else await queue.hand({ kind: "cells", id, out: folder });
        }
        if (Date.now() - last > patience) {
          remark(
            `no cell came back for ${patience / 1000} s; \`petl worker\` with --queue and a --shared that holds ${out} works at them`,
          );
          last = Date.now();
        }
        await new Promise((resolve) => setTimeout(resolve, lookEvery));
      }
    },
    async close() {
      for (const id of [...open.keys()]) await forget(id);
      await rmdir(join(out, "cells")).catch(() => undefined);
      await queue.close();
    },
  };
}

/** What workers are told of a study's folder: its place below what all share, or its whole path. */
async function sharedName(out: string, shared: string | undefined): Promise<string> {
  const own = await realpath(out);
  if (shared === undefined) return own;
  const below = placeBelow(await realpath(shared), own);
  if (below !== undefined) return below;
  throw new InputError(`--out ${out} is not in --shared ${shared}, where workers look for it`);
}

/**
 * The study's folder of a task, as this machine knows it.
 * @throws InputError where it is not below the shared folder, or its id is none
 */
export async function sharedFolder(
  shared: string,
  { id, out }: Extract<QueueTask, { kind: "cells" }>,
): Promise<string> {
  if (!/^cells-[0-9a-f]{40}$/.test(id)) throw new InputError(`"${id}" is no id of cells`);
  const root = await realpath(shared);
  const folder = await realpath(isAbsolute(out) ? out : join(root, out)).catch(() => undefined);
  if (folder !== undefined && placeBelow(root, folder) !== undefined) return folder;
  throw new InputError(`a study's folder "${out}" is not in --shared ${shared}; its cells are left to other workers`);
}

function placeBelow(root: string, path: string): string | undefined {
  const place = relative(root, path);
  return place === "" || place.startsWith("..") || isAbsolute(place) ? undefined : place;
}

const idOf = (folder: string, job: Job): string =>
  `cells-${sha256(`${folder} ${JSON.stringify([job.fit, job.seed, job.cells])}`).slice(0, 40)}`;

export const jobFile = (out: string, id: string): string => join(out, "cells", `${id}.json`);
const resultsFile = (out: string, id: string): string => join(out, "cells", `${id}.results.json`);

/** Tells what came of cells; whatever comes later changes nothing. */
export const tellAnswer = (out: string, id: string, answer: Answer): Promise<boolean> =>
  writeFirst(resultsFile(out, id), answer);

const answer = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("results"),
    results: z.array(z.custom<Extract<Answer, { kind: "results" }>["results"][number]>()),
  }),
  z.object({ kind: z.literal("error"), name: z.string(), problems: z.array(z.string()) }),
]);

async function answerIn(out: string, id: string): Promise<Answer | undefined> {
  const text = await readFile(resultsFile(out, id), "utf8").catch(() => undefined);
  return text === undefined ? undefined : answer.parse(parsedJson(text));
}
