import { join } from "node:path";
import { attempt } from "./attempt.ts";
import { jobFolders, openJobFolder } from "./job-folder.ts";
import { queueKindOf } from "./queue-kinds.ts";

interface Working {
  /** Ends the work under way with a checkpoint and puts its job back. */
  end(): Promise<void>;
}

/** Milliseconds between looks at what the queue may have lost, and that it is waited for at the end. */
const [lookEvery, patience] = [5000, 3000];

/** Takes jobs of a shared queue, one at a time. */
export async function startWorker(
  { queue: url, shared }: { readonly queue: string; readonly shared: string },
  told: { readonly remark: (text: string) => void; readonly fault: (error: unknown) => void },
): Promise<Working> {
  const kind = await queueKindOf(url);
  const queue = await kind.open(url, told.fault);
  const ending = new AbortController();
  const folder = join(shared, "jobs");
  const work = async (id: string) => {
    const job = await openJobFolder(folder, id);
    if (!job || ending.signal.aborted) return;
    told.remark(`working on ${id}`);
    const end = await attempt(shared, job, ending.signal);
    told.remark(`${id}: ${end}`);
  };
  const reader = await kind.read(url, work, told.fault);
  const putBack = async () => {
    for (const job of await jobFolders(folder)) if ((await job.state()) === "queued") await queue.add(job.record.id);
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
