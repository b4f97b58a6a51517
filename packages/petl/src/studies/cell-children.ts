import type { ChildProcess } from "node:child_process";
import { builtFile, startChild } from "../executors/child-process.ts";
import { MachineError } from "../machine-error.ts";
import { tellAnswer } from "./cell-files.ts";
import { type CellPlace, errorUnless } from "./cell-place.ts";

/**
 * In children of this process, one for each task at a time, each over its own mapping of the base's weights, whose pages
 * they share. A child that has told its answer waits for the next task.
 */
export function cellChildren(out: string, folder: string): CellPlace {
  const idle: ChildProcess[] = [];
  const all = new Set<ChildProcess>();
  const started = () => {
    const child = startChild([builtFile("studies/cell-process.js"), out, folder], { errors: "inherit" });
    all.add(child.once("exit", () => all.delete(child)));
    return child;
  };
  return {
    async work({ id }, signal) {
      const child = idle.pop() ?? started();
      try {
        const end = await ended(child, id, signal);
        idle.push(child);
        return end;
      } catch (error) {
        await tellAnswer(out, id, errorUnless(signal)(error));
        return "told";
      }
    },
    async close() {
      for (const child of all) child.kill("SIGKILL"); // it holds nothing but memory
    },
  };
}

/** Gives a child a task and waits until it has told what came of it. */
function ended(child: ChildProcess, id: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, reason: string | null) => {
      done();
      if (signal.aborted) reject(signal.reason);
      else
        reject(
          new MachineError(`a process that worked at cells ended with ${reason ?? code}; run the same command again`),
        );
    };
    const onMessage = (end: string) => {
      done();
      resolve(end);
    };
    const onAbort = () => child.kill("SIGKILL");
    const done = () => {
      child.off("message", onMessage).off("exit", onExit);
      signal.removeEventListener("abort", onAbort);
    };
    child.on("message", onMessage).on("exit", onExit);
    signal.addEventListener("abort", onAbort);
    child.send(id);
  });
}
