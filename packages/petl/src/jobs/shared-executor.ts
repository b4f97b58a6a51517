import type { Executor } from "./executor.ts";
import { queueKindOf } from "./queue-kinds.ts";

/** Milliseconds in which an id is not put in again: the queue, if it lives, has it. */
const againAfter = 5000;
/** Milliseconds that the queue is waited for; what it has not got then, it gets with the next look. */
const patience = 2000;

/** Jobs through a queue that workers share. While the queue is away nothing is lost: jobs are handed out later. */
export async function sharedExecutor(url: string, fault: (error: unknown) => void): Promise<Executor> {
  const kind = await queueKindOf(url);
  const queue = await kind.open(url, fault);
  const handed = new Map<string, number>();
  return {
    async enqueue(id) {
      const now = Date.now();
      if (now - (handed.get(id) ?? 0) < againAfter) return;
      handed.set(id, now);
      const added = queue.add(id).catch((error: unknown) => {
        handed.delete(id);
        fault(error);
      });
      await Promise.race([added, new Promise((resolve) => setTimeout(resolve, patience))]);
    },
    close: () => Promise.race([queue.close(), new Promise<void>((resolve) => setTimeout(resolve, patience))]),
  };
}
