import { resolve } from "node:path";
import { outage } from "../executors/outage.ts";
import { withoutSecrets } from "../executors/queue-kinds.ts";
import type { HandedTask } from "../executors/task.ts";
import { startWorker } from "../executors/worker.ts";
import { neededText } from "../flags/flags.ts";
import { sharedJobs, waitingJobs } from "../jobs/job-work.ts";
import { sharedCells } from "../studies/shared-cells.ts";
import { untilTold } from "./until-told.ts";
import { defineVerb } from "./verb.ts";

export const queueHelp = "a queue that processes share: redis://… or postgres://…";

/** Milliseconds after which nothing keeps the process that has ended its work. */
const patience = 1000;

export const workerVerb = defineVerb({
  name: "worker",
  group: "Serve",
  summary: "take jobs of a shared queue, one at a time",
  flags: {
    queue: neededText("URL", queueHelp),
    shared: neededText("DIR", "the folder that servers and workers share, in which files, jobs and adapters are"),
  },
  examples: ["worker --queue redis://localhost:6379 --shared /srv/petl"],
  async run({ flags: { queue, shared: named } }, { terminal, signal }) {
    const told = untilTold(signal);
    const shared = resolve(named);
    const [jobs, cells] = [sharedJobs(shared, (id) => terminal.line(`working on ${id}`)), sharedCells(shared)];
    const work = (task: HandedTask, ending: AbortSignal) =>
      task.kind === "job" ? jobs(task, ending) : cells(task, ending);
    const working = await startWorker(
      queue,
      { work, waiting: () => waitingJobs(shared) },
      { remark: terminal.line, fault: outage(terminal.line) },
    );
    terminal.line(`taking jobs of ${withoutSecrets(queue)}`);
    const why = await told;
    await working.end();
    setTimeout(() => process.exit(), patience).unref(); // a connection to a queue that is away tries again for ever
    if (why === "interrupted") throw new DOMException("interrupted", "AbortError");
  },
});
