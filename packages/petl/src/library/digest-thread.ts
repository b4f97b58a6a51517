import { parentPort, workerData } from "node:worker_threads";
import { directory } from "../disk/files.ts";
import { sendable } from "../engine/sent-error.ts";
import { baseDigest } from "./base-digest.ts";
import type { DigestAnswer } from "./begin-digest.ts";

/** The thread's side of {@link beginDigest}: it computes one folder's digest and ends. */
void baseDigest(directory(workerData)).then(
  (sha256) => answer({ sha256 }),
  (error: unknown) => answer({ error: sendable(error) }),
);

const answer = (told: DigestAnswer) => parentPort?.postMessage(told);
