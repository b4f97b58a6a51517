import { Worker } from "node:worker_threads";
import type { SentError } from "../engine/messages.ts";
import { received } from "../engine/sent-error.ts";
import { threadFile } from "../engine/thread-file.ts";
import { MachineError } from "../machine-error.ts";

/** A base's digest that is being computed. */
export interface BegunDigest {
  /** @throws as `baseDigest` */
  sha256(): Promise<string>;
  /** Ends its thread, where it has not ended. */
  stop(): void;
}

/** What the thread says before it ends. */
export type DigestAnswer = { readonly sha256: string } | { readonly error: SentError };

/** Begins with what `baseDigest` computes, in a thread of its own, so that this one goes on meanwhile. */
export function beginDigest(folder: string): BegunDigest {
  const thread = new Worker(threadFile(import.meta.url, "library/digest-thread.js"), {
    execArgv: [],
    workerData: folder,
  });
  const told = new Promise<string>((resolve, reject) => {
    thread.once("message", (answer: DigestAnswer) => {
      if ("sha256" in answer) resolve(answer.sha256);
      else reject(received(answer.error));
    });
    thread.once("error", reject);
    thread.once("exit", (code) =>
      reject(new MachineError(`the thread that reads the base stopped with exit code ${code}`)),
    );
  });
  told.catch(() => undefined); // whoever asks hears it
  return {
    sha256: () => told,
    stop: () => void thread.terminate(),
  };
}
