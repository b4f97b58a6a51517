import { randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parsedJson } from "@petl/core";
import { z } from "zod";
import { directory, namesIn } from "../disk/files.ts";
import { sha256 } from "../disk/sha256.ts";
import { snapshotsName } from "../disk/snapshots.ts";
import type { Executor, TaskOf } from "../executors/task.ts";
import { createJobFolder, type JobFolder, jobFolders } from "../jobs/job-folder.ts";
import type { JobRecord } from "../jobs/job-record.ts";
import { jobsIn } from "../jobs/job-work.ts";
import type { AdapterShelf } from "./adapter-shelf.ts";
import type { FileStore } from "./file-store.ts";
import { HttpError, noSuch } from "./http-error.ts";
import type { Tenant } from "./keys.ts";
import { oneAtATime } from "./one-at-a-time.ts";

/** What a job is asked to be; the rest follows. */
type NewJob = Omit<
  JobRecord,
  "id" | "owner" | "created" | "result_name" | "idempotency" | "base" | "folder" | "base_sha256"
>;

/** Tenants' jobs of this server's base. */
export interface JobDesk {
  /**
   * Accepts a job. A request that came before under the same key is answered with its job.
   * @throws HttpError 409 where the same key came with another request, 429 where the tenant has too many
   */
  accept(
    tenant: Tenant,
    wanted: NewJob,
    key: { readonly key: string; readonly body: Buffer } | undefined,
  ): Promise<{ readonly job: JobFolder; readonly fresh: boolean }>;
  /** Newest first. */
  ownedBy(tenant: Tenant): readonly JobFolder[];
  /** @throws HttpError 404 for what is not there or not the tenant's */
  owned(id: string, tenant: Tenant): JobFolder;
  /** The files of a job's adapter, once it has succeeded; its adapter can be asked then. */
  results(job: JobFolder): Promise<readonly string[]>;
  /** @throws HttpError 409 for a job that has ended */
  cancel(job: JobFolder): Promise<void>;
  pause(job: JobFolder): Promise<void>;
  resume(job: JobFolder): Promise<void>;
  /** Whether a job that has not ended needs a file. */
  uses(file: string): Promise<boolean>;
  /** Hands out what nobody works on, and takes over what has been done. */
  reconcile(): Promise<void>;
}

interface Around {
  readonly shared: string;
  readonly base: Pick<JobRecord, "base" | "folder" | "base_sha256">;
  /** the base's name among the models */
  readonly baseModel: string;
  readonly executor: Executor<TaskOf<"job">>;
  readonly shelf: AdapterShelf;
  readonly files: FileStore;
}

export async function openJobDesk({ shared, base, baseModel, executor, shelf, files }: Around): Promise<JobDesk> {
  const folder = jobsIn(shared);
  const hand = (id: string) => executor.hand({ kind: "job", id });
  const jobs = new Map<string, JobFolder>();
  for (const job of await jobFolders(folder))
    if (job.record.base_sha256 === base.base_sha256) jobs.set(job.record.id, job);
  const adopted = new Map<string, Promise<readonly string[]>>();
  const inTurn = oneAtATime();
  const ownedBy = ({ name }: Tenant) =>
    [...jobs.values()]
      .filter(({ record }) => record.owner === name)
      .sort((a, b) => b.record.created - a.record.created);
  const results = (job: JobFolder): Promise<readonly string[]> => {
    const known = adopted.get(job.record.id) ?? adopt(job, shelf, files);
    adopted.set(job.record.id, known);
    known.catch(() => adopted.delete(job.record.id));
    return known;
  };
  const refuseEnded = async (job: JobFolder) => {
    const outcome = await job.outcome();
    if (outcome)
      throw new HttpError(409, `the job has ${outcome.status === "cancelled" ? "been cancelled" : outcome.status}`, {
        code: "job_ended",
      });
  };
  return {
    accept: (tenant, wanted, key) =>
      inTurn(async () => {
        const idempotency = key && { key: sha256(key.key), body: sha256(key.body) };
        const same = idempotency && ownedBy(tenant).find(({ record }) => record.idempotency?.key === idempotency.key);
        if (same && same.record.idempotency?.body !== idempotency.body)
          throw new HttpError(409, "this Idempotency-Key came with another request before", {
            code: "idempotency_conflict",
          });
        if (same) return { job: same, fresh: false };
        await refuseMany(tenant, ownedBy(tenant), shelf);
        const number = randomBytes(12).toString("hex");
        const accepted: JobRecord = {
          id: `ftjob-${number}`,
          owner: tenant.name,
          created: Math.floor(Date.now() / 1000),
          ...wanted,
          ...base,
          result_name: `ft:${baseModel}:${wanted.suffix ?? ""}:${number.slice(0, 12)}`,
          ...(idempotency && { idempotency }),
        };
        const job = await createJobFolder(folder, accepted);
        await job.note([
          {
            created: accepted.created,
            level: "info",
            type: "message",
            message: `Created fine-tuning job: ${accepted.id}`,
          },
        ]);
        jobs.set(accepted.id, job);
        await hand(accepted.id);
        return { job, fresh: true };
      }),
    ownedBy,
    owned(id, tenant) {
      const job = jobs.get(id);
      if (job?.record.owner !== tenant.name) throw noSuch("job");
      return job;
    },
    results,
    async cancel(job) {
      await refuseEnded(job);
      if (!(await job.end({ status: "cancelled" }))) await refuseEnded(job);
    },
    async pause(job) {
      await refuseEnded(job);
      await job.setWish("pause");
    },
    async resume(job) {
      await refuseEnded(job);
      await job.setWish("run");
      await hand(job.record.id);
    },
    async uses(file) {
      for (const job of jobs.values()) {
        const { training_file, validation_file } = job.record;
        if ((training_file === file || validation_file === file) && !(await job.outcome())) return true;
      }
      return false;
    },
    async reconcile() {
      for (const job of jobs.values()) {
        if (adopted.has(job.record.id)) continue;
        const state = await job.state();
        if (state === "succeeded") await results(job);
        if (state === "failed" || state === "cancelled") adopted.set(job.record.id, Promise.resolve([]));
        if (state === "queued") await hand(job.record.id);
      }
    },
  };
}

/** @throws HttpError 429 where a tenant has as many jobs under way, or adapters, as it may have */
async function refuseMany({ limits, name }: Tenant, jobs: readonly JobFolder[], shelf: AdapterShelf): Promise<void> {
  const outcomes = await Promise.all(jobs.map((job) => job.outcome()));
  const open = outcomes.filter((outcome) => !outcome).length;
  const too = (what: string) =>
    new HttpError(429, `you have as many ${what} as you may have`, {
      code: "quota_exceeded",
      headers: { "retry-after": "60" },
    });
  if (limits.jobs !== undefined && open >= limits.jobs) throw too("jobs under way");
  if (limits.adapters !== undefined && open + shelf.count(name) >= limits.adapters) throw too("adapters");
}

/** Serves a job's adapter and keeps its files, once: what is deleted later does not come back. */
async function adopt(job: JobFolder, shelf: AdapterShelf, files: FileStore): Promise<readonly string[]> {
  const marker = join(job.path, "results.json");
  const known = await readFile(marker, "utf8").catch(() => undefined);
  if (known !== undefined) return z.array(z.string()).parse(parsedJson(known));
  const outcome = await job.outcome();
  if (outcome?.status !== "succeeded" || outcome.attempt === undefined) return [];
  const { record } = job;
  const run = join(job.attemptFolder(outcome.attempt), "run");
  await shelf.keep(record.result_name, run, record.owner, { neutral: true });
  const source = directory(run);
  const ids: string[] = [];
  for (const filename of (await source.files()).filter(
    (name) => /\.(safetensors|json)$/.test(name) && name !== "run.json",
  )) {
    const file = await source.open(filename);
    const content = await file.read(0, file.size);
    ids.push((await files.put({ owner: record.owner, filename, purpose: "fine-tune-results", content })).id);
  }
  await writeFile(marker, JSON.stringify(ids));
  return ids;
}

const saysEvery = (flag: string): boolean => flag.startsWith("--checkpoint-every=");

/** Steps at which a job has saved itself, and the last one. */
export async function checkpointsOf(
  job: JobFolder,
): Promise<readonly { readonly step: number; readonly created: number }[]> {
  const found = new Map<number, number>();
  const events = await job.events();
  const outcome = await job.outcome();
  for (let attempt = 1; attempt <= 1000; attempt++) {
    const path = join(job.attemptFolder(attempt), "run", snapshotsName);
    const info = await stat(job.attemptFolder(attempt)).catch(() => undefined);
    if (!info) break;
    for (const name of await namesIn(path)) {
      const step = Number(/^step-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
      if (Number.isInteger(step)) found.set(step, Math.floor((await stat(join(path, name))).mtimeMs / 1000));
    }
  }
  const every = Number(/^--checkpoint-every=(\d+)$/.exec(job.record.flags.findLast(saysEvery) ?? "")?.[1] ?? 0);
  const steps = events.flatMap(({ data, created }) =>
    typeof data?.step === "number" ? [[data.step, created] as const] : [],
  );
  for (const [step, created] of steps)
    if (every > 0 && step % every === 0 && !found.has(step)) found.set(step, created);
  const last = steps.at(-1)?.[0];
  if (outcome?.status === "succeeded" && last !== undefined) found.set(last, outcome.finished);
  return [...found].map(([step, created]) => ({ step, created })).sort((a, b) => b.step - a.step);
}
