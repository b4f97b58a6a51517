import { join } from "node:path";
import { InputError } from "@petl/core";
import { workAtCells } from "../studies/worked-cells.ts";
import { attempt } from "./attempt.ts";
import { jobFolders, openJobFolder } from "./job-folder.ts";
import { type QueueTask, queueKindOf } from "./queue-kinds.ts";

interface Working {
  /** Ends the work under way with a checkpoint and puts its job back. */
  end(): Promise<void>;
}

/** Milliseconds between looks at what the queue may have lost, and that it is waited for at the end. */
const [lookEvery, patience] = [5000, 3000];

/** Takes jobs and cells of a shared queue, one at a time. */
export async function startWorker(
  { queue: url, shared }: { readonly queue: string; readonly shared: string },
  told: { readonly remark: (text: string) => void; readonly fault: (error: unknown) => void },
): Promise<Working> {
  const kind = await queueKindOf(url);
  const queue = await kind.open(url, told.fault);
  const ending = new AbortController();
  const folder = join(shared, "jobs");
  const endOf = async (task: QueueTask): Promise<string> => {
    if (task.kind === "cells") return workAtCells(shared, task, ending.signal);
    const job = await openJobFolder(folder, task.id);
    if (!job) return "gone";
    told.remark(`working on ${task.id}`);
    return attempt(shared, job, ending.signal);
  };
  const said = new Set<string>();
  const work = async (task: QueueTask) => {
    if (ending.signal.aborted) return;
    try {
      const end = await endOf(task);
      if (end !== "gone") told.remark(`${task.id}: ${end}`);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (!said.has(error.message)) told.remark(error.message);
      said.add(error.message);
    }
  };
  const reader = await kind.read(url, work, told.fault);
  const putBack = async () => {
    for (const job of await jobFolders(folder))
      if ((await job.state()) === "queued") await queue.add({ kind: "job", id: job.record.id });
  };
  const looking = setInterval(() => putBack().catch(told.fault), lookEvery);
  return {
    async end() {
      ending.abort();
      clearInterval(looking);
      await reader.close();
      const over = new Promise<void>((resolve) => setTimeout(resolve, patience));
      await Promise.race([putBack().catch(told.fault), over]);
      await Promise.race([queue.close(), over]);
    },
  };
}
