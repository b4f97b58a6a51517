import { InputError, type Job } from "@petl/core";
import { type OpenBench, openBench } from "./bench.ts";
import { type Answer, errorAnswer } from "./child-processes.ts";
import { readContext } from "./context.ts";
import { resultsOf } from "./executor.ts";

/** A process that works at the cells of a study: jobs come as messages, one behind the other, and results go back. */
const [out = "", folder = ""] = process.argv.slice(2);
let bench: Promise<OpenBench> | undefined;

process.on("SIGINT", () => undefined); // the process that gives out the jobs decides
process.on("disconnect", () => process.exit(0));
process.on("message", (job: Job) => {
  answer(job).then((message) => process.send?.(message));
});

async function answer(job: Job): Promise<Answer> {
  try {
    const context = await readContext(out);
    if (!context) throw new InputError(`${out} holds no study`);
    bench ??= openBench(out, folder, context);
    return { kind: "results", results: await resultsOf(await bench, context.study, job) };
  } catch (error) {
    return errorAnswer(error);
  }
}
