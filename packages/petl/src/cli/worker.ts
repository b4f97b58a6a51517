import { resolve } from "node:path";
import { outage } from "../jobs/outage.ts";
import { withoutSecrets } from "../jobs/queue-kinds.ts";
import { startWorker } from "../jobs/worker.ts";
import { neededText } from "./flags.ts";
import { untilTold } from "./until-told.ts";
import { defineVerb } from "./verb.ts";

export const queueHelp = "a queue that processes share: redis://… or postgres://…";

export const workerVerb = defineVerb({
  name: "worker",
  group: "Serve",
  summary: "take jobs of a shared queue, one at a time",
  flags: {
    queue: neededText("URL", queueHelp),
    shared: neededText("DIR", "the folder that servers and workers share, in which files, jobs and adapters are"),
  },
  examples: ["worker --queue redis://localhost:6379 --shared /srv/petl"],
  async run({ flags: { queue, shared } }, { terminal, signal }) {
    const told = untilTold(signal);
    const working = await startWorker(
      { queue, shared: resolve(shared) },
      { remark: terminal.line, fault: outage(terminal.line) },
    );
    terminal.line(`taking jobs of ${withoutSecrets(queue)}`);
    const why = await told;
    await working.end();
    if (why === "interrupted") throw new DOMException("interrupted", "AbortError");
  },
});
