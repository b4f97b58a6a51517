// Jobs through a queue whose workers and whose database are killed: every job ends, once, with the bytes that it has undisturbed.
//   node scripts/jobs-campaign.mjs [--database redis|postgres] [--jobs 200] [--worker-kills 60] [--database-kills 10]
//     [--workers 2] [--seed 1] [--steps 12] [--out results/jobs.jsonl]
// Needs redis-server or PostgreSQL, of which it starts one of its own that keeps what it was told, and bullmq with ioredis or
// pg. Ends with 1 where a job is lost, ended twice or came to other bytes; appends a record.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { random } from "@petl/core";
import { surroundings } from "../bench/halves.mjs";
import { databases } from "./databases.mjs";

const { values } = parseArgs({
  options: {
    database: { type: "string", default: "redis" },
    out: { type: "string", default: "results/jobs.jsonl" },
    jobs: { type: "string", default: "200" },
    "worker-kills": { type: "string", default: "60" },
    "database-kills": { type: "string", default: "10" },
    workers: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    steps: { type: "string", default: "12" },
  },
});
const [count, workerKills, databaseKills, workers, steps] = [
  "jobs",
  "worker-kills",
  "database-kills",
  "workers",
  "steps",
].map((name) => Number(values[name]));
const kinds = 4; // distinct settings, so that few undisturbed runs tell what all should come to
const stream = random(Number(values.seed), "a campaign of kills");
const folder = await mkdtemp(join(tmpdir(), "petl-jobs-"));
const shared = join(folder, "shared");
const petl = "packages/petl/bin/petl.js";
const port = await freePort();
const kept = databases[values.database];
if (!kept) throw new Error(`--database "${values.database}" is none of ${Object.keys(databases).join(", ")}`);
const queue = kept.url(port);
const children = new Set();
const kills = { workers: 0, databases: 0 };
let ending = false;
const known = new Map();

try {
  await chmod(folder, 0o755); // the database may be another user's
  await kept.prepare(folder);
  const rows = join(folder, "rows.csv");
  const lines = Array.from({ length: 24 }, (_, row) =>
    row % 2 ? `a fine film ${row},good` : `a dull song ${row},bad`,
  );
  await writeFile(rows, `text,label\n${lines.join("\n")}\n`);
  let database = startDatabase();
  const url = await startServer();
  const crew = Array.from({ length: workers }, startWorker);
  const file = await upload(url, rows);
  const jobs = [];
  for (let at = 0; at < count; at++) jobs.push(await submit(url, file, at));
  const open = new Set(jobs);
  const begin = performance.now();
  while (open.size > 0) {
    await delay(300 + stream.integer(1200));
    for (const id of open) {
      const job = await ask(url, `/v1/fine_tuning/jobs/${id}`);
      if (["succeeded", "failed", "cancelled"].includes(job?.status)) open.delete(id);
    }
    // kills keep step with the jobs, however slow the machine is
    const due = (most, done, chance) =>
      open.size > 0 && done < (most * (count - open.size + 1)) / count && done < most && stream.uniform() < chance;
    if (due(workerKills, kills.workers, 0.5)) {
      const at = stream.integer(workers);
      crew[at].kill("SIGKILL");
      crew[at] = startWorker();
      kills.workers++;
    }
    if (due(databaseKills, kills.databases, 0.3)) {
      await kept.kill(database);
      await delay(500 + stream.integer(2000));
      database = startDatabase();
      kills.databases++;
    }
    process.stderr.write(
      `${count - open.size} of ${count} jobs, ${kills.workers} workers and ${kills.databases} databases killed\n`,
    );
  }
  const seconds = (performance.now() - begin) / 1000;
  const told = await Promise.all(jobs.map((id, at) => verdict(url, id, at, rows)));
  const [lost, twice, other] = ["lost", "twice", "other"].map((fault) => told.filter((each) => each === fault).length);
  process.stdout.write(
    `${count} jobs in ${seconds.toFixed(0)} s, ${kills.workers} worker kills, ${kills.databases} database kills: ${lost} lost, ${twice} ended twice, ${other} of other bytes\n`,
  );
  const record = {
    campaign: "jobs",
    date: new Date().toISOString().slice(0, 10),
    database: values.database,
    jobs: count,
    steps,
    workers,
    worker_kills: kills.workers,
    database_kills: kills.databases,
    seconds: Math.round(seconds),
    lost,
    twice,
    other_bytes: other,
    surroundings: surroundings(),
  };
  await appendFile(values.out, `${JSON.stringify(record)}\n`);
  if (lost + twice + other > 0) process.exitCode = 1;
} finally {
  ending = true;
  for (const child of children) child.kill("SIGKILL");
  await delay(500);
  await rm(folder, { recursive: true, force: true });
}

function started(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], ...options });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

function startDatabase() {
  const child = kept.start(folder, port);
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

function startWorker() {
  const child = started(process.execPath, [petl, "worker", "--queue", queue, "--shared", shared], { stdio: "ignore" });
  child.once("exit", (code) => {
    if (!ending && code !== null) process.stderr.write(`a worker ended with ${code}\n`);
  });
  return child;
}

function startServer() {
  const child = started(process.execPath, [
    petl,
    "serve",
    "--base",
    "petl-mini-encoder",
    "--port",
    "0",
    "--threads",
    "1",
    "--queue",
    queue,
    "--shared",
    shared,
  ]);
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (text) => {
      if (said.length < 65536) said += text;
      const found = /listening on (\S+)/.exec(said)?.[1];
      if (found) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
}

async function ask(url, path, body) {
  const answer = await fetch(
    url + path,
    body === undefined ? {} : { method: "POST", body: JSON.stringify(body) },
  ).catch(() => undefined);
  return answer?.ok ? answer.json() : undefined;
}

async function upload(url, path) {
  const form = new FormData();
  form.set("purpose", "fine-tune");
  form.set("file", new Blob([await readFile(path)]), "rows.csv");
  return (await (await fetch(`${url}/v1/files`, { method: "POST", body: form })).json()).id;
}

function flagsOf(at) {
  return {
    method: "lora",
    rank: 2 + (at % kinds),
    steps,
    batch: 4,
    lr: 0.001,
    threads: 1,
    checkpoint_every: 2,
    cache: "off",
  };
}

async function submit(url, training_file, at) {
  for (;;) {
    const job = await ask(url, "/v1/fine_tuning/jobs", {
      model: "petl-mini-encoder",
      training_file,
      seed: 1,
      hyperparameters: flagsOf(at),
    });
    if (job) return job.id;
    await delay(200);
  }
}

/** What became of a job: as it should, or what is wrong with it. */
async function verdict(url, id, at, rows) {
  const job = await ask(url, `/v1/fine_tuning/jobs/${id}`);
  if (job?.status !== "succeeded") return "lost";
  const events = (await ask(url, `/v1/fine_tuning/jobs/${id}/events?limit=100`))?.data ?? [];
  const ends = events.filter(({ message }) => message.includes("has succeeded"));
  const stepsTold = events.flatMap(({ type, data }) =>
    type === "metrics" && data?.train_loss !== undefined ? [data.step] : [],
  );
  if (ends.length !== 1 || new Set(stepsTold).size !== stepsTold.length) return "twice";
  const attempts = join(shared, "jobs", id, "attempts");
  const outcome = JSON.parse(await readFile(join(shared, "jobs", id, "outcome.json"), "utf8"));
  const found = await digestOf(join(attempts, String(outcome.attempt), "run"));
  return found === (await undisturbed(at % kinds, rows)) ? "right" : "other";
}

function undisturbed(kind, rows) {
  const found = known.get(kind) ?? trainedAlone(kind, rows);
  known.set(kind, found);
  return found;
}

async function trainedAlone(kind, rows) {
  const out = join(folder, `alone-${kind}`);
  const flags = Object.entries(flagsOf(kind)).map(([name, value]) => `--${name.replaceAll("_", "-")}=${value}`);
  const args = [
    petl,
    "train",
    "--base",
    "petl-mini-encoder",
    "--data",
    rows,
    "--validation",
    "0",
    "--seed",
    "1",
    "--out",
    out,
    ...flags,
  ];
  const child = started(process.execPath, args);
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`petl train ended with ${code}: ${said}`);
  return digestOf(out);
}

async function digestOf(path) {
  const names = (await readdir(path)).filter((name) => name.endsWith(".safetensors"));
  if (names.length === 0) throw new Error(`${path} holds no weights`);
  const hash = createHash("sha256");
  for (const name of names.sort()) hash.update(await readFile(join(path, name)));
  return hash.digest("hex");
}

function delay(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address?.port : undefined));
    });
  });
}
