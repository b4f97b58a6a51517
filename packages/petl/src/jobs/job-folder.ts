import { appendFile, mkdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { InputError, parsedJson } from "@petl/core";
import type { z } from "zod";
import { namesIn } from "../disk/files.ts";
import { writeFileSafely } from "../disk/safe-write.ts";
import { isAlive } from "../disk/temporary.ts";
import { writeFirst } from "../disk/write-first.ts";
import { systemCode } from "../machine-error.ts";
import {
  type Claim,
  claimRecord,
  type JobOutcome,
  type JobRecord,
  type JobState,
  jobOutcome,
  jobRecord,
  jobWish,
  type StoredEvent,
  storedEvent,
} from "./job-record.ts";

/**
 * A job's folder, in which the truth about it stands: `job.json`, `wish.json`, `claims/N.json`, `attempts/N/`,
 * `events.jsonl`, `outcome.json`. Any number of processes may look at it and work on it; claims and the outcome are made
 * by the first one alone, so that what a stalled worker does late counts for nothing.
 */
export interface JobFolder {
  readonly path: string;
  readonly record: JobRecord;
  state(): Promise<JobState>;
  outcome(): Promise<JobOutcome | undefined>;
  wish(): Promise<"run" | "pause">;
  setWish(wish: "run" | "pause"): Promise<void>;
  /** The newest claim whose worker still works, or should. */
  claimed(): Promise<Claim | undefined>;
  /** Takes the job, with a number above all before; undefined where another one was faster. */
  claim(): Promise<Claim | undefined>;
  /** Tells that the worker lives. */
  beat(claim: Claim): Promise<void>;
  /** Gives the job back. */
  release(claim: Claim): Promise<void>;
  /** Whether nobody has claimed the job since, and it has not ended. */
  holds(claim: Claim): Promise<boolean>;
  /** Ends the job; false where it has ended already. */
  end(outcome: Omit<JobOutcome, "events" | "finished">): Promise<boolean>;
  note(events: readonly StoredEvent[]): Promise<void>;
  /** Oldest first. */
  events(): Promise<readonly StoredEvent[]>;
  attemptFolder(attempt: number): string;
}

/** Milliseconds after which a worker that no longer says that it lives is given up. */
const giveUpAfter = 30_000;

/** Writes a new job's folder. */
export async function createJobFolder(jobs: string, record: JobRecord): Promise<JobFolder> {
  const path = join(jobs, record.id);
  await writeFileSafely(join(path, "job.json"), [Buffer.from(`${JSON.stringify(record, null, 2)}\n`)]);
  return jobFolder(path, record);
}

/** The job of an id; undefined where there is none. */
export async function openJobFolder(jobs: string, id: string): Promise<JobFolder | undefined> {
  if (!/^ftjob-[0-9a-f]{24}$/.test(id)) return undefined;
  const record = await readAs(join(jobs, id, "job.json"), jobRecord);
  return record && jobFolder(join(jobs, id), record);
}

export async function jobFolders(jobs: string): Promise<readonly JobFolder[]> {
  const found = await Promise.all((await namesIn(jobs)).map((id) => openJobFolder(jobs, id)));
  return found.filter((job) => job !== undefined);
}

function jobFolder(path: string, record: JobRecord): JobFolder {
  const [claims, outcomePath, eventsPath] = [
    join(path, "claims"),
    join(path, "outcome.json"),
    join(path, "events.jsonl"),
  ];
  const newest = async () =>
    Math.max(0, ...(await namesIn(claims)).map((name) => Number(/^(\d+)\.json$/.exec(name)?.[1] ?? 0)));
  const outcome = () => readAs(outcomePath, jobOutcome);
  const claimed = async () => {
    const attempt = await newest();
    if (attempt === 0 || (await exists(join(claims, `${attempt}.released`)))) return undefined;
    const claim = await readAs(join(claims, `${attempt}.json`), claimRecord);
    return claim && (await works(claim, join(claims, `${attempt}.json`))) ? claim : undefined;
  };
  const wish = async () => (await readAs(join(path, "wish.json"), jobWish))?.wish ?? "run";
  const stored = async () =>
    (await textOf(eventsPath))?.split("\n").flatMap((line) => storedEvent.safeParse(parsedJson(line)).data ?? []) ?? [];
  return {
    path,
    record,
    outcome,
    wish,
    claimed,
    async state() {
      const ended = await outcome();
      if (ended) return ended.status;
      if ((await wish()) === "pause") return "paused";
      const claim = await claimed();
      if (!claim) return "queued";
      // a training reads and checks its rows before it writes its record
      const begun = await exists(join(path, "attempts", String(claim.attempt), "run", "run.json"));
      return begun ? "running" : "validating_files";
    },
    setWish: (wanted) => writeFileSafely(join(path, "wish.json"), [Buffer.from(JSON.stringify({ wish: wanted }))]),
    async claim() {
      await mkdir(claims, { recursive: true });
      const claim = { attempt: (await newest()) + 1, host: hostname(), pid: process.pid, since: Date.now() };
      return (await writeFirst(join(claims, `${claim.attempt}.json`), claim)) ? claim : undefined;
    },
    async beat({ attempt }) {
      const now = new Date();
      await utimes(join(claims, `${attempt}.json`), now, now).catch(() => undefined);
    },
    release: ({ attempt }) => writeFile(join(claims, `${attempt}.released`), ""),
    async holds({ attempt }) {
      return (await newest()) === attempt && !(await exists(outcomePath));
    },
    async end(how) {
      const ended = { ...how, finished: seconds(), events: (await stored()).length };
      return writeFirst(outcomePath, ended);
    },
    async note(events) {
      if (events.length === 0) return;
      const torn = (await textOf(eventsPath))?.endsWith("\n") === false ? "\n" : "";
      await appendFile(eventsPath, torn + events.map((event) => `${JSON.stringify(event)}\n`).join(""));
    },
    async events() {
      const [all, ended] = [await stored(), await outcome()];
      return ended ? [...all.slice(0, ended.events), lastEvent(record, ended)] : all;
    },
    attemptFolder: (attempt) => join(path, "attempts", String(attempt)),
  };
}

const seconds = (): number => Math.floor(Date.now() / 1000);

/** What is told of the end follows from the outcome, so that it is told once whoever tells it. */
function lastEvent({ result_name }: JobRecord, { status, finished, error }: JobOutcome): StoredEvent {
  const told = {
    succeeded: { level: "info", message: `The job has succeeded; the adapter is ${result_name}` },
    failed: { level: "error", message: `The job has failed: ${error ?? "for a reason that is not known"}` },
    cancelled: { level: "info", message: "The job was cancelled" },
  } as const;
  return { created: finished, type: "message", ...told[status] };
}

/** Whether a claim's worker lives: on this machine its process, and everywhere its beat. */
async function works(claim: Claim, path: string): Promise<boolean> {
  const beat = (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
  if (Date.now() - beat > giveUpAfter) return false;
  if (claim.host !== hostname()) return true;
  const started = Date.now() - process.uptime() * 1000;
  return claim.pid === process.pid ? claim.since >= started - 1000 : isAlive(claim.pid);
}

async function readAs<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await textOf(path);
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  throw new InputError(`"${path}" is not as petl writes it: ${parsed.error.issues[0]?.message ?? ""}`);
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  });
}

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;
