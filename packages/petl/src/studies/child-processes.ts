import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { InputError, type Job, RunError } from "@petl/core";
import { MachineError } from "../machine-error.ts";
import type { Executor, Finished } from "./executor.ts";

/** What a child answers. */
export type Answer =
  | { readonly kind: "results"; readonly results: Finished["results"] }
  | { readonly kind: "error"; readonly name: string; readonly problems: readonly string[] };

const childFile = fileURLToPath(new URL("./cell-process.js", import.meta.url));

/**
 * Carries jobs out in several processes of this machine, each over its own mapping of the base's weights, whose pages they
 * share. The children end with this process, however it ends.
 */
export function childProcesses(out: string, folder: string, count: number, signal: AbortSignal | undefined): Executor {
  const children: ChildProcess[] = [];
  const end = () => {
    for (const child of children) child.kill("SIGKILL"); // it holds nothing but memory
  };
  signal?.addEventListener("abort", end, { once: true });
  return {
    async *run(jobs) {
      while (children.length < Math.min(count, jobs.length)) children.push(started(out, folder));
      const waiting = [...jobs];
      const begin = (child: ChildProcess) => {
        const job = waiting.shift();
        return job && answered(child, job, signal).then((results) => ({ child, finished: { job, results } }));
      };
      const running = new Map(
        children.flatMap((child) => {
          const first = begin(child);
          return first ? [[child, first] as const] : [];
        }),
      );
      while (running.size > 0) {
        const { child, finished } = await Promise.race(running.values());
        const next = begin(child);
        if (next) running.set(child, next);
        else running.delete(child);
        yield finished;
      }
    },
    async close() {
      signal?.removeEventListener("abort", end);
      end();
    },
  };
}

const started = (out: string, folder: string): ChildProcess =>
  fork(childFile, [out, folder], {
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "json",
  });

/** Gives a child a job and waits for its answer. */
function answered(child: ChildProcess, job: Job, signal: AbortSignal | undefined): Promise<Finished["results"]> {
  const { promise, resolve, reject } = deferred<Finished["results"]>();
  const onMessage = (answer: Answer) => {
    done();
    if (answer.kind === "results") resolve(answer.results);
    else reject(errorOf(answer));
  };
  const onExit = (code: number | null, reason: string | null) => {
    done();
    if (signal?.aborted) reject(signal.reason);
    else
      reject(
        new MachineError(`a process that worked at cells ended with ${reason ?? code}; run the same command again`),
      );
  };
  const done = () => {
    child.off("message", onMessage);
    child.off("exit", onExit);
  };
  child.on("message", onMessage);
  child.on("exit", onExit);
  child.send(job);
  return promise;
}

/** An error as another process can be told of it. */
export function errorAnswer(error: unknown): Answer {
  const name = error instanceof Error ? error.name : "Error";
  if (error instanceof InputError) return { kind: "error", name, problems: error.problems };
  const text = error instanceof Error ? (name === "Error" ? String(error.stack) : error.message) : String(error);
  return { kind: "error", name, problems: [text] };
}

/** The error that another process met, as one of this process. */
export function errorOf({ name, problems }: Extract<Answer, { kind: "error" }>): Error {
  if (name === "InputError") return new InputError(problems);
  if (name === "RunError") return new RunError(problems.join("; "));
  if (name === "MachineError") return new MachineError(problems.join("; "));
  return new Error(problems.join("\n"));
}

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  return { promise, resolve, reject };
}
