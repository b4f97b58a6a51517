import type { Executor, HandedTask, Work } from "./task.ts";

/** Tasks in the care of this process, so many at once, in the order in which they come; there is nothing to install. */
export function localExecutor<T extends HandedTask>(
  atOnce: number,
  work: Work<T>,
  fault: (error: unknown) => void,
): Executor<T> {
  const waiting = new Map<string, T>();
  const working = new Set<Promise<void>>();
  const ending = new AbortController();
  const takeAll = async () => {
    for (const [id, task] of waiting) {
      if (ending.signal.aborted) return;
      waiting.delete(id);
      await work(task, ending.signal).catch((error: unknown) => {
        if (error !== ending.signal.reason) fault(error); // the other one is how work is broken off
      });
    }
  };
  return {
    async hand(task) {
      if (ending.signal.aborted) return;
      waiting.set(task.id, task);
      if (working.size >= atOnce) return;
      const taking = takeAll().finally(() => working.delete(taking));
      working.add(taking);
    },
    async close() {
      ending.abort();
      await Promise.all(working);
    },
  };
}
