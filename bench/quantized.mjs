// A base as it was trained beside the same one in 8 and in 4 bits: loss, memory and speed, each in processes of its own.
//   node bench/quantized.mjs --base FOLDER [--data FOLDER] [--steps 300]   a decoder, on rows with train and validation files,
//                                                                        or on E2E's development set, a ninth of it held out
//   node bench/quantized.mjs --shape --scratch FOLDER [--steps 3]         1.1 billion random weights (5 GB in FOLDER for the time), in
//                                                                        16 bits too; --recompute as in train
// Appends records to results/quantized.jsonl.
import { appendFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { partsOfDevelopment, written } from "./e2e-rows.mjs";
import { median, runToEnd, surroundings } from "./halves.mjs";
import { billion, writeRandomBase } from "./random-base.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string" },
    data: { type: "string" },
    shape: { type: "boolean", default: false },
    scratch: { type: "string", default: tmpdir() },
    steps: { type: "string", default: "300" },
    batch: { type: "string", default: "8" },
    tokens: { type: "string", default: "128" },
    threads: { type: "string", default: "1" },
    lr: { type: "string", default: "1e-3" },
    bits: { type: "string", default: "32,4,8" },
    recompute: { type: "boolean", default: false },
    out: { type: "string", default: "results/quantized.jsonl" },
  },
});
const petl = (...args) => runToEnd(process.execPath, ["packages/petl/bin/petl.js", ...args, "--json"]);
const folder = await mkdtemp(join(values.scratch, "petl-quantized-"));
try {
  const rows = values.shape ? await tokenRows() : (values.data ?? (await e2eRows()));
  for (const bits of values.bits.split(",").map(Number)) {
    const base = values.shape ? await billionIn(bits) : await baseIn(bits);
    const record = {
      benchmark: "quantized",
      date: new Date().toISOString().slice(0, 10),
      base: values.shape ? "1.1 billion random weights" : basename(values.base),
      bits,
      relative_error: base.relative_error,
      weights_bytes: (await stat(join(base.out, "model.safetensors"))).size,
      ...(await trained(base.out, rows)),
      ...surroundings(),
    };
    console.log(JSON.stringify(record));
    await appendFile(values.out, `${JSON.stringify(record)}\n`);
    if (base.out !== values.base) await rm(base.out, { recursive: true });
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function baseIn(bits) {
  if (bits === 32) return { out: values.base, relative_error: 0 };
  return petl("quantize", values.base, "--bits", String(bits), "--out", join(folder, `in-${bits}`));
}

async function billionIn(bits) {
  const out = join(folder, `in-${bits}`);
  await writeRandomBase(out, billion, bits);
  return { out };
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
    ...["--seed", "0", "--out", out, "--overwrite", ...(values.recompute ? ["--recompute"] : [])],
  );
  const lines = (await readFile(join(out, "metrics.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const times = lines.filter((line) => line.step > 1 && line.seconds !== undefined).map(({ seconds }) => seconds);
  return {
    batch: Number(values.batch),
    tokens: Number(values.tokens),
    steps: run.steps,
    threads: Number(values.threads),
    recompute: values.recompute,
    ...(before && { loss_before: before.loss, loss_after: run.evaluation?.loss }),
    training_loss: run.loss,
    peak_rss_bytes: run.peak_rss_bytes,
    step_ms: Math.round(1000 * median(times.slice(1).map((seconds, i) => seconds - times[i]))),
  };
}

async function e2eRows() {
  const { train, held } = await partsOfDevelopment();
  await written(join(folder, "train.jsonl"), train);
  await written(join(folder, "validation.jsonl"), held);
  return folder;
}

/** Rows of tokens for a base without a tokenizer. */
function tokenRows() {
  const idOf = (row, at) => 3 + ((row * 7919 + at * at) % 31000);
  const rows = Array.from({ length: 8 }, (_, row) =>
    Array.from({ length: Number(values.tokens) }, (_id, at) => idOf(row, at)),
  );
  return written(
    join(folder, "rows.jsonl"),
    rows.map((row) => ({ input_ids: row })),
  );
}
