import type { Executor } from "./executor.ts";
import { type QueueTask, queueKindOf } from "./queue-kinds.ts";

/** Milliseconds in which a task is not put in again: the queue, if it lives, has it. */
const againAfter = 5000;
/** Milliseconds that the queue is waited for; what it has not got then, it gets with the next look. */
const patience = 2000;

/** Hands tasks out to workers; while the queue is away nothing is lost, since what is not done is handed out again. */
export interface TaskQueue {
  hand(task: QueueTask): Promise<void>;
  close(): Promise<void>;
}

/** @throws InputError for a queue that is none, and for packages that are not installed */
export async function openTaskQueue(url: string, fault: (error: unknown) => void): Promise<TaskQueue> {
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

/** Jobs through a queue that workers share. */
export async function sharedExecutor(url: string, fault: (error: unknown) => void): Promise<Executor> {
  const { hand, close } = await openTaskQueue(url, fault);
  return { enqueue: (id) => hand({ kind: "job", id }), close };
}
