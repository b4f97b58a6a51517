import { InputError } from "@petl/core";
import type { HandedTask } from "./task.ts";

/** A queue that processes share. */
export interface SharedQueue {
  /** Puts a task in, unless one of its id is there. */
  add(task: HandedTask): Promise<unknown>;
  close(): Promise<void>;
}

/** Takes tasks out of a queue, one at a time, as long as it is not closed. */
export interface QueueReader {
  /** Waits for the work under way. */
  close(): Promise<void>;
}

/** Where a queue lives: BullMQ's, over a store that is one of these. */
export interface QueueKind {
  readonly schemes: readonly string[];
  /** npm packages that it needs and petl does not bring */
  readonly packages: readonly string[];
  open(url: string, fault: (error: unknown) => void): Promise<SharedQueue>;
  read(url: string, work: (task: HandedTask) => Promise<void>, fault: (error: unknown) => void): Promise<QueueReader>;
}

const name = "petl-jobs";
/** What has been worked on is forgotten: its truth stands elsewhere, and its id may come again. */
const forgotten = { removeOnComplete: true, removeOnFail: true } as const;
/** A worker that is silent so long loses its job to another one; the job's own fence makes that harmless. */
const locks = { concurrency: 1, lockDuration: 30_000, stalledInterval: 15_000, maxStalledCount: 1000 } as const;

const redis: QueueKind = {
  schemes: ["redis", "rediss"],
  packages: ["bullmq", "ioredis"],
  async open(url, fault) {
    const { Queue } = await import("bullmq");
    const queue = new Queue(name, { connection: { url, maxRetriesPerRequest: null } });
    queue.on("error", fault);
    return { add: (task) => queue.add(task.kind, task, { jobId: task.id, ...forgotten }), close: () => queue.close() };
  },
  async read(url, work, fault) {
    const { Worker } = await import("bullmq");
    const connection = { url, maxRetriesPerRequest: null };
    const worker = new Worker<HandedTask>(name, ({ data }) => work(data), { connection, ...locks });
    worker.on("error", fault);
    return { close: () => worker.close() };
  },
};

const postgres: QueueKind = {
  schemes: ["postgres", "postgresql"],
  packages: ["bullmq", "pg"],
  async open(url, fault) {
    const { createPostgresBackend, Queue } = await import("bullmq");
    const queue = new Queue(name, { connection: connectionOf(url) }, createPostgresBackend);
    queue.on("error", fault);
    return { add: (task) => queue.add(task.kind, task, { jobId: task.id, ...forgotten }), close: () => queue.close() };
  },
  async read(url, work, fault) {
    const { createPostgresBackend, Worker } = await import("bullmq");
    const process = ({ data }: { readonly data: HandedTask }) => work(data);
    const worker = new Worker(name, process, { connection: connectionOf(url), ...locks }, createPostgresBackend);
    worker.on("error", fault);
    return { close: () => worker.close() };
  },
};

/** BullMQ's tables are made where they are missing. */
const connectionOf = (url: string) => ({ connectionString: url, migrate: true });

/** Every kind of queue. */
const queueKinds: readonly QueueKind[] = [redis, postgres];

/**
 * The kind of a queue's URL.
 * @throws InputError for another scheme, and for packages that are not installed
 */
export async function queueKindOf(url: string): Promise<QueueKind> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase() ?? "";
  const kind = queueKinds.find(({ schemes }) => schemes.includes(scheme));
  if (!kind) {
    const schemes = queueKinds.flatMap((each) => each.schemes.slice(0, 1)).map((each) => `${each}://…`);
    throw new InputError(`--queue "${scheme}://…" is not possible; it is one of ${schemes.join(", ")}`);
  }
  const missing = await missingOf(kind.packages);
  if (missing.length === 0) return kind;
  throw new InputError(
    `--queue ${scheme}://… needs ${missing.join(" and ")}, which petl does not bring: npm install ${kind.packages.join(" ")}`,
  );
}

async function missingOf(packages: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(
    packages.map((needed) =>
      import(needed).then(
        () => true,
        () => false,
      ),
    ),
  );
  return packages.filter((_, at) => !there[at]);
}

/** A queue's URL without user and password. */
export function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//");
}
