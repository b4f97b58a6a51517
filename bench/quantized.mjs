// A base as it was trained beside the same one in 8 and in 4 bits: loss, memory and speed, each in processes of its own.
//   node bench/quantized.mjs --base FOLDER --data FOLDER [--steps 60]     a decoder, rows with train and validation files
//   node bench/quantized.mjs --shape --scratch FOLDER [--steps 3]         1.1 billion random weights (5 GB in FOLDER for the time)
// Appends records to results/quantized.jsonl.
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { median, runToEnd, surroundings } from "./halves.mjs";
import { billion, writeRandomBase } from "./random-base.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string" },
    data: { type: "string" },
    shape: { type: "boolean", default: false },
    scratch: { type: "string", default: tmpdir() },
    steps: { type: "string", default: "60" },
    batch: { type: "string", default: "8" },
    tokens: { type: "string", default: "128" },
    threads: { type: "string", default: "1" },
    lr: { type: "string", default: "1e-3" },
    out: { type: "string", default: "results/quantized.jsonl" },
  },
});
const petl = (...args) => runToEnd(process.execPath, ["packages/petl/bin/petl.js", ...args, "--json"]);
const folder = await mkdtemp(join(values.scratch, "petl-quantized-"));
try {
  const { base, data } = values.shape ? await billionShape() : values;
  for (const bits of [32, 4, 8]) {
    const held = bits === 32 ? undefined : await quantized(base, bits);
    const record = {
      ...{ benchmark: "quantized", date: new Date().toISOString().slice(0, 10) },
      ...{ base: values.shape ? "1.1 billion random weights" : basename(values.base), bits },
      ...{ relative_error: held?.relative_error ?? 0, weights_bytes: await weightsOf(held?.out ?? base) },
      ...(await trained(held?.out ?? base, data)),
      ...surroundings(),
    };
    console.log(JSON.stringify(record));
    await appendFile(values.out, `${JSON.stringify(record)}\n`);
    if (held) await rm(held.out, { recursive: true });
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function weightsOf(path) {
  return (await stat(join(path, "model.safetensors"))).size;
}

function quantized(base, bits) {
  return petl("quantize", base, "--bits", String(bits), "--out", join(folder, `in-${bits}`));
}

/** The loss before training where there are rows to measure on, and LoRA's steps: loss, memory, milliseconds. */
async function trained(base, data) {
  const rows = ["--data", data, "--task", "causal-lm", "--threads", values.threads, "--max-length", values.tokens];
  const out = join(folder, "adapter");
  const before = values.shape ? undefined : await petl("evaluate", "--base", base, ...rows);
  const run = await petl(
    ...["train", "--base", base, ...rows, "--batch", values.batch],
    ...["--method", "lora", "--rank", "8", "--lr", values.lr],
    ...["--targets", "all-linear", "--steps", values.steps, "--log-every", "1", "--checkpoint-every", "0"],
    ...["--seed", "0", "--out", out, "--overwrite"],
  );
  const lines = (await readFile(join(out, "metrics.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const times = lines.filter((line) => line.step > 1 && line.seconds !== undefined).map(({ seconds }) => seconds);
  return {
    ...{
      batch: Number(values.batch),
      tokens: Number(values.tokens),
      steps: run.steps,
      threads: Number(values.threads),
    },
    ...(before && { loss_before: before.loss, loss_after: run.evaluation?.loss }),
    ...{ training_loss: run.loss, peak_rss_bytes: run.peak_rss_bytes },
    step_ms: Math.round(1000 * median(times.slice(1).map((seconds, i) => seconds - times[i]))),
  };
}

/** Weights of TinyLlama's shape, and rows of tokens. */
async function billionShape() {
  const base = join(folder, "base");
  await writeRandomBase(base, billion);
  const rows = Array.from({ length: 8 }, (_, row) =>
    JSON.stringify({
      input_ids: Array.from({ length: Number(values.tokens) }, (_, i) => 3 + ((row * 7919 + i * i) % 31000)),
    }),
  );
  const data = join(folder, "rows");
  await mkdir(data);
  await writeFile(join(data, "train.jsonl"), `${rows.join("\n")}\n`);
  return { base, data: join(data, "train.jsonl") };
}
