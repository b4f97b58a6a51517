import { queueKindOf } from "./queue-kinds.ts";
import type { Executor, HandedTask } from "./task.ts";

/** Milliseconds in which a task is not put in again: the queue, if it lives, has it. */
const againAfter = 5000;
/** Milliseconds that the queue is waited for; what it has not got then, it gets with the next look. */
const patience = 2000;

/**
 * Tasks through a queue that workers share. While the queue is away nothing is lost, since what is not done is handed out
 * again.
 * @throws InputError for a queue that is none, and for packages that are not installed
 */
export async function queueExecutor(url: string, fault: (error: unknown) => void): Promise<Executor<HandedTask>> {
  const kind = await queueKindOf(url);
  const queue = await kind.open(url, fault);
  const handed = new Map<string, number>();
  return {
    async hand(task) {
      const now = Date.now();
      if (now - (handed.get(task.id) ?? 0) < againAfter) return;
      handed.set(task.id, now);
      const added = queue.add(task).catch((error: unknown) => {
        handed.delete(task.id);
        fault(error);
      });
      await Promise.race([added, new Promise((resolve) => setTimeout(resolve, patience))]);
    },
    close: () => Promise.race([queue.close(), new Promise<void>((resolve) => setTimeout(resolve, patience))]),
  };
}
