import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testFolder } from "../library/open-tiny.fake.ts";
import { createJobFolder, type JobFolder, openJobFolder } from "./job-folder.ts";

const folder = testFolder();
let jobs = 0;

async function newJob(): Promise<JobFolder> {
  const id = `ftjob-${String(++jobs).padStart(24, "0")}`;
  return createJobFolder(folder, {
    id,
    owner: "ann",
    created: 1,
    model: "base",
    base: "base",
    folder,
    base_sha256: "0",
    training_file: "file-1",
    data: [],
    hyperparameters: {},
    flags: [],
    metadata: null,
    result_name: "ft:base::1",
  });
}

/** Lets a worker look as if it had said nothing for longer than any may. */
function stall(job: JobFolder): void {
  const claims = join(job.path, "claims");
  const old = new Date(Date.now() - 3_600_000);
  for (const name of readdirSync(claims)) utimesSync(join(claims, name), old, old);
}

test("a stalled worker that comes back holds nothing: its claim is fenced, and what it ends is not ended twice", async () => {
  const job = await newJob();
  const stalled = await job.claim();
  if (!stalled) throw new Error("nobody else claims");
  expect(await job.state()).toBe("validating_files");
  expect(await job.claimed()).toEqual(stalled);
  stall(job);
  expect(await job.claimed()).toBeUndefined();
  expect(await job.state()).toBe("queued");
  const next = await job.claim();
  if (!next) throw new Error("the job is free");
  expect(next.attempt).toBe(stalled.attempt + 1);
  expect([await job.holds(stalled), await job.holds(next)]).toEqual([false, true]);
  expect(job.attemptFolder(stalled.attempt)).not.toBe(job.attemptFolder(next.attempt));
  expect(await job.end({ status: "succeeded", attempt: next.attempt })).toBe(true);
  expect(await job.end({ status: "failed", error: "late" })).toBe(false);
  await job.note([{ created: 2, level: "info", type: "metrics", message: "late" }]);
  const again = await openJobFolder(folder, job.record.id);
  expect((await again?.outcome())?.attempt).toBe(next.attempt);
  expect((await again?.events())?.map(({ message }) => message)).toEqual([
    "The job has succeeded; the adapter is ft:base::1",
  ]);
});

test("of workers that claim at once one has the job; a paused job is paused until it is to go on, and a cancelled one stays so", async () => {
  const job = await newJob();
  const claims = (await Promise.all([1, 2, 3, 4].map(() => job.claim()))).flatMap((claim) => claim ?? []);
  expect(new Set(claims.map(({ attempt }) => attempt)).size).toBe(claims.length);
  const held = await Promise.all(claims.map((claim) => job.holds(claim)));
  expect(held.filter(Boolean)).toHaveLength(1);
  const run = join(job.attemptFolder(Math.max(...claims.map(({ attempt }) => attempt))), "run");
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, "run.json"), "{}");
  expect(await job.state()).toBe("running");
  await job.setWish("pause");
  expect(await job.state()).toBe("paused");
  await job.setWish("run");
  expect(await job.state()).toBe("running");
  expect(await job.end({ status: "cancelled" })).toBe(true);
  expect(await job.state()).toBe("cancelled");
  for (const claim of claims) expect(await job.holds(claim)).toBe(false);
  expect(existsSync(join(job.path, "outcome.json"))).toBe(true);
});
