import { InputError } from "@petl/core";
import { type OpenBench, openBench } from "./bench.ts";
import { errorAnswer, tellAnswer } from "./cell-files.ts";
import { workAt } from "./cell-place.ts";
import { readContext, type StudyContext } from "./context.ts";

/** A process that works at the cells of a study: ids come as messages, one behind the other, and how it went goes back. */
const [out = "", folder = ""] = process.argv.slice(2);
let open: Promise<{ readonly bench: OpenBench; readonly context: StudyContext }> | undefined;

process.channel?.ref();
process.on("SIGINT", () => {
  if (!process.connected) process.exit(0); // else the process that hands out the tasks decides
});
process.on("message", async (id: string) => {
  try {
    open ??= opened();
    const { bench, context } = await open;
    process.send?.(await workAt(bench, out, context.study, id));
  } catch (error) {
    await tellAnswer(out, id, errorAnswer(error));
    process.send?.("told");
  }
});

async function opened() {
  const context = await readContext(out);
  if (!context) throw new InputError(`${out} holds no study`);
  return { bench: await openBench(out, folder, context), context };
}
