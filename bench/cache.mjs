// What the cache saves from the second epoch on: LoRA in the top 2 of MiniLM's 6 layers, and its head alone, on rows of SST-2.
//   node bench/cache.mjs --python PYTHON [--methods lora-top,head,head-mean] [--rows 10000] [--rounds 3]
// Three whole processes in turn, all over the very same batches: petl with --cache memory, petl with --cache off, and PEFT. Appends
// a record for each method to results/cache.jsonl.
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median, runToEnd, surroundings } from "./halves.mjs";

const base = "../shared/data/checkpoints/all-minilm-l6-v2";
const lora = ["--method", "lora", "--lr", "2e-3", "--rank", "8", "--alpha", "16", "--targets", "query,value"];
/** petl's flags, and the method of PEFT's half; the mean of all tokens is petl's alone, so its peer pools as BERT does. */
const ways = {
  "lora-top": { flags: [...lora, "--layers", "top:2", "--pooling", "default"], peer: "lora-top" },
  head: { flags: ["--method", "head", "--lr", "5e-3", "--pooling", "default"], peer: "head" },
  "head-mean": { flags: ["--method", "head", "--lr", "5e-3", "--pooling", "mean"], peer: "head" },
};
const { values } = parseArgs({
  options: {
    python: { type: "string" },
    methods: { type: "string", default: Object.keys(ways).join() },
    rows: { type: "string", default: "10000" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
  },
});
const folder = await mkdtemp(join(tmpdir(), "petl-bench-"));
try {
  const batches = await plan();
  for (const method of values.methods.split(",")) await compare(method, batches);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** One epoch's batches, which every half follows in every epoch, and its rows in that order for petl. */
async function plan() {
  const path = join(folder, "plan.json");
  await runToEnd(values.python, ["bench/python/sst2.py", "--rows", values.rows, "--write-batches", path]).catch(
    () => undefined, // it prints nothing
  );
  const whole = JSON.parse(await readFile(path, "utf8"));
  const [epoch] = whole.epochs;
  await writeFile(path, JSON.stringify({ ...whole, epochs: [epoch, epoch] }));
  const rows = epoch.flat().map((row) => JSON.stringify(whole.train[row]));
  await writeFile(join(folder, "train.jsonl"), `${rows.join("\n")}\n`);
  return path;
}

async function compare(method, batches) {
  const { flags, peer } = ways[method];
  const seconds = { kept: [], computed: [], peft: [] };
  for (let round = 0; round < Number(values.rounds); round++) {
    seconds.peft.push((await python(peer, batches)).epoch_seconds[1]);
    const kept = await petl([...flags, "--cache", "memory"]);
    seconds.kept.push(kept);
    seconds.computed.push(await petl([...flags, "--cache", "off"]));
    console.log(
      JSON.stringify({ method, round, ...Object.fromEntries(Object.entries(seconds).map(([k, v]) => [k, v.at(-1)])) }),
    );
  }
  const [kept, computed, peft] = [seconds.kept, seconds.computed, seconds.peft].map(median);
  const record = {
    benchmark: "cache",
    date: new Date().toISOString().slice(0, 10),
    method,
    rows: Number(values.rows),
    rounds: Number(values.rounds),
    second_epoch_seconds: { kept, computed, peft },
    ratio_to_peft: kept / peft,
    ratio_to_no_cache: kept / computed,
    ...surroundings(),
  };
  console.log(JSON.stringify(record));
  await appendFile("results/cache.jsonl", `${JSON.stringify(record)}\n`);
}

function python(method, batches) {
  const { threads } = values;
  const epochs = ["--method", method, "--batches", batches, "--epochs", "2", "--threads", threads];
  return runToEnd(values.python, ["bench/python/sst2.py", ...epochs]);
}

/** Seconds of the second epoch's steps. */
async function petl(flags) {
  const out = join(folder, "out");
  const run = await runToEnd(process.execPath, [
    ...["packages/petl/bin/petl.js", "train", "--base", base, "--data", join(folder, "train.jsonl"), ...flags],
    ...["--epochs", "2", "--batch", "32", "--no-shuffle", "--validation", "0", "--warmup", "0.06", "--clip", "1"],
    ...[
      "--weight-decay",
      "0.01",
      "--threads",
      values.threads,
      "--checkpoint-every",
      "0",
      "--out",
      out,
      "--overwrite",
      "--json",
    ],
  ]);
  const lines = (await readFile(join(out, "metrics.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const steps = lines.filter(({ loss }) => loss !== undefined);
  const [before, last] = [steps[run.steps / 2 - 1], steps.at(-1)];
  return last.seconds - before.seconds;
}
