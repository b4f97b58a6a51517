// petl beside PEFT on a real run: all-MiniLM-L6-v2 on 10,000 rows of SST-2, whole processes, in turn.
//   node bench/sst2.mjs speed    --python PYTHON [--methods lora] [--rounds 3]   one epoch of the very same batches
//   node bench/sst2.mjs memory   --python PYTHON [--methods lora,full] [--batches 16]   the batches with the longest rows alone
//   node bench/sst2.mjs accuracy --python PYTHON [--methods lora,bitfit,full,head,head-mean] [--seeds 0,1,2]   two epochs
// Appends records to results/sst2-speed.jsonl, results/sst2-memory.jsonl and results/sst2-accuracy.jsonl.
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median, runToEnd, surroundings } from "./halves.mjs";

const rates = { lora: 2e-3, bitfit: 3e-3, full: 5e-5, head: 5e-3, "head-mean": 5e-3 };
const base = "../shared/data/checkpoints/all-minilm-l6-v2";
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string" },
    methods: { type: "string" },
    rounds: { type: "string", default: "3" },
    seeds: { type: "string", default: "0,1,2" },
    threads: { type: "string", default: "2" },
    batches: { type: "string", default: "16" },
  },
});
const folder = await mkdtemp(join(tmpdir(), "petl-bench-"));
try {
  if (positionals[0] === "speed") await speed();
  else if (positionals[0] === "memory") await memory();
  else if (positionals[0] === "accuracy") await accuracy();
  else throw new Error("say speed, memory or accuracy");
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The plan of batches that both halves follow, or of those that are chosen, and its rows in that order for petl. */
async function plan(choose = ({ epochs }) => epochs) {
  const path = join(folder, "plan.json");
  const whole = await readPlan(path);
  const { train, dev } = whole;
  const epochs = choose(whole);
  const lines = (rows) => rows.map((row) => JSON.stringify(row)).join("\n");
  await writeFile(path, JSON.stringify({ ...whole, epochs }));
  await writeFile(join(folder, "train.jsonl"), `${lines(epochs[0].flat().map((row) => train[row]))}\n`);
  await writeFile(join(folder, "dev.jsonl"), `${lines(dev)}\n`);
  return path;
}

async function readPlan(path) {
  await runToEnd(values.python, ["bench/python/sst2.py", "--write-batches", path]).catch(() => undefined);
  return JSON.parse(await readFile(path, "utf8"));
}

function petl(method, extra) {
  const [name, pooling] = method.split("-");
  return runToEnd(process.execPath, [
    ...["packages/petl/bin/petl.js", "train", "--base", base, "--method", name, "--lr", String(rates[method])],
    ...["--batch", "32", "--schedule", "linear", "--warmup", "0.06", "--clip", "1", "--weight-decay", "0.01"],
    ...["--max-length", "128", "--threads", values.threads, "--checkpoint-every", "0"],
    ...["--out", join(folder, "out"), "--overwrite", "--json"],
    ...(name === "lora" ? ["--rank", "8", "--alpha", "16", "--targets", "query,value"] : []),
    ...(pooling ? ["--pooling", pooling] : []),
    ...extra,
  ]);
}

/** PEFT's half: one epoch of the plan. */
function python(method, batches) {
  const { threads } = values;
  const epoch = ["--method", method, "--batches", batches, "--epochs", "1", "--threads", threads];
  return runToEnd(values.python, ["bench/python/sst2.py", ...epoch]);
}

/** Seconds of the training steps alone, from the first step's line to the last's. */
async function stepSeconds() {
  const lines = (await readFile(join(folder, "out/metrics.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const steps = lines.filter(({ loss }) => loss !== undefined);
  const [first, last] = [steps[0], steps.at(-1)];
  return ((last.seconds - first.seconds) * steps.length) / (steps.length - 1);
}

async function speed() {
  const batches = await plan();
  for (const method of (values.methods ?? "lora").split(",")) {
    const ours = [];
    const theirs = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      const peft = await python(method, batches);
      theirs.push({ seconds: peft.epoch_seconds[0], rss: peft.peak_rss_bytes, accuracy: peft.accuracy });
      const run = await petl(method, ["--data", folder, "--epochs", "1", "--no-shuffle"]);
      ours.push({ seconds: await stepSeconds(), rss: run.peak_rss_bytes, accuracy: run.evaluation.accuracy });
      console.log(JSON.stringify({ method, round, petl: ours.at(-1), peft: theirs.at(-1) }));
    }
    const middle = (runs, key) => median(runs.map((run) => run[key]));
    const record = {
      benchmark: "sst2-speed",
      date: new Date().toISOString().slice(0, 10),
      method,
      rounds: Number(values.rounds),
      petl: { epoch_seconds: middle(ours, "seconds"), peak_rss_bytes: middle(ours, "rss") },
      peft: { epoch_seconds: middle(theirs, "seconds"), peak_rss_bytes: middle(theirs, "rss") },
      ratio: middle(ours, "seconds") / middle(theirs, "seconds"),
      memory_ratio: middle(ours, "rss") / middle(theirs, "rss"),
      ...surroundings(),
    };
    console.log(JSON.stringify(record));
    await appendFile("results/sst2-speed.jsonl", `${JSON.stringify(record)}\n`);
  }
}

/** Peaks of whole processes, the evaluation and petl's writing of the model included. */
async function memory() {
  const batches = await plan(longestBatches);
  for (const method of (values.methods ?? "lora,full").split(",")) {
    const peft = await python(method, batches);
    const run = await petl(method, ["--data", folder, "--epochs", "1", "--no-shuffle"]);
    const record = {
      benchmark: "sst2-memory",
      date: new Date().toISOString().slice(0, 10),
      method,
      batches: run.steps,
      petl: { peak_rss_bytes: run.peak_rss_bytes },
      peft: { peak_rss_bytes: peft.peak_rss_bytes },
      memory_ratio: run.peak_rss_bytes / peft.peak_rss_bytes,
      threads: Number(values.threads),
    };
    console.log(JSON.stringify(record));
    await appendFile("results/sst2-memory.jsonl", `${JSON.stringify(record)}\n`);
  }
}

/** One epoch of the batches whose longest rows are longest, in the plan's order: what a run's memory depends on. */
function longestBatches({ train, epochs: [epoch] }) {
  const longest = (batch) => Math.max(...batch.map((row) => train[row].input_ids.length));
  const chosen = epoch.toSorted((a, b) => longest(b) - longest(a)).slice(0, Number(values.batches));
  return [epoch.filter((batch) => chosen.includes(batch))];
}

async function accuracy() {
  await plan();
  for (const method of (values.methods ?? "lora,bitfit,full,head,head-mean").split(",")) {
    for (const seed of values.seeds.split(",").map(Number)) {
      const run = await petl(method, ["--data", folder, "--epochs", "2", "--seed", String(seed)]);
      const record = {
        benchmark: "sst2-accuracy",
        date: new Date().toISOString().slice(0, 10),
        method,
        seed,
        accuracy: run.evaluation.accuracy,
        seconds: run.seconds,
        peak_rss_bytes: run.peak_rss_bytes,
        threads: Number(values.threads),
      };
      console.log(JSON.stringify(record));
      await appendFile("results/sst2-accuracy.jsonl", `${JSON.stringify(record)}\n`);
    }
  }
}
