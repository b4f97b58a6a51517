import { InputError } from "@petl/core";
import { queueKindOf } from "./queue-kinds.ts";
import type { HandedTask, Work } from "./task.ts";

interface Working {
  /** Ends the work under way as its kind ends early, and puts it back. */
  end(): Promise<void>;
}

/** What a worker is asked to do. */
interface Duty {
  readonly work: Work<HandedTask>;
  /** tasks that are to be done, whether or not the queue knows them */
  waiting(): Promise<readonly HandedTask[]>;
}

/** Milliseconds between looks at what the queue may have lost, and that it is waited for at the end. */
const [lookEvery, patience] = [5000, 3000];

/** Takes tasks of a shared queue, one at a time. */
export async function startWorker(
  url: string,
  { work, waiting }: Duty,
  told: { readonly remark: (text: string) => void; readonly fault: (error: unknown) => void },
): Promise<Working> {
  const kind = await queueKindOf(url);
  const queue = await kind.open(url, told.fault);
  const ending = new AbortController();
  const said = new Set<string>();
  let underWay: Promise<void> = Promise.resolve();
  const worked = (task: HandedTask) => {
    underWay = done(task);
    return underWay;
  };
  const done = async (task: HandedTask) => {
    if (ending.signal.aborted) return;
    try {
      const end = await work(task, ending.signal);
      if (end !== "gone") told.remark(`${task.id}: ${end}`);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (!said.has(error.message)) told.remark(error.message);
      said.add(error.message);
    }
  };
  const reader = await kind.read(url, worked, told.fault);
  const putBack = async () => {
    for (const task of await waiting()) await queue.add(task);
  };
  const looking = setInterval(() => putBack().catch(told.fault), lookEvery);
  return {
    async end() {
      ending.abort();
      clearInterval(looking);
      await underWay.catch(() => undefined); // its fault was told to the queue
      const over = new Promise<void>((resolve) => setTimeout(resolve, patience)); // a queue that is away never says that it is closed
      for (const last of [() => reader.close(), () => putBack().catch(told.fault), () => queue.close()])
        await Promise.race([last(), over]);
    },
  };
}
