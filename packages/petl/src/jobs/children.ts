import type { Executor, Work } from "./executor.ts";

/** Jobs one after the other in children of this process; there is nothing to install. */
export function childrenExecutor(work: Work, fault: (error: unknown) => void): Executor {
  const waiting: string[] = [];
  const ending = new AbortController();
  let working: Promise<void> | undefined;
  const takeAll = async () => {
    for (let id = waiting.shift(); id !== undefined && !ending.signal.aborted; id = waiting.shift())
      await work(id, ending.signal).catch(fault);
    working = undefined;
  };
  return {
    async enqueue(id) {
      if (ending.signal.aborted || waiting.includes(id)) return;
      waiting.push(id);
      working ??= takeAll();
    },
    async close() {
      ending.abort();
      await working;
    },
  };
}
