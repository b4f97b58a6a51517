// The memory that `petl plan` expects beside the peak of `petl train`, for combinations of base, method and load, each in
// a process of its own on rows of full length.
//   node bench/plan.mjs [--minilm FOLDER] [--only NAME,…] [--steps 4]
// Appends records to results/plan-memory.jsonl and fails where a peak is missed by more than a tenth.
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { random } from "@petl/core";
import { runToEnd, surroundings } from "./halves.mjs";
import { writeRandomBase } from "./random-base.mjs";

const { values } = parseArgs({
  options: {
    minilm: { type: "string", default: "../shared/data/checkpoints/all-minilm-l6-v2" },
    only: { type: "string" },
    steps: { type: "string", default: "4" },
    threads: { type: "string", default: "1" },
    out: { type: "string", default: "results/plan-memory.jsonl" },
  },
});
const petl = (...args) => runToEnd(process.execPath, ["packages/petl/bin/petl.js", ...args, "--json"]);

/** A Llama of 160 million parameters, so that its weights weigh. */
const llama = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  torch_dtype: "float32",
  vocab_size: 32000,
  hidden_size: 768,
  intermediate_size: 2048,
  max_position_embeddings: 2048,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  num_key_value_heads: 12,
  rms_norm_eps: 1e-5,
};

/** What is trained: base, method with its options, rows and their length, micro-batches. */
const combinations = [
  { name: "minilm-full", base: "minilm", method: ["full"], batch: 16, tokens: 128 },
  { name: "minilm-lora-all", base: "minilm", method: ["lora", "--targets", "all-linear"], batch: 32, tokens: 128 },
  { name: "minilm-head", base: "minilm", method: ["head"], batch: 64, tokens: 128 },
  { name: "minilm-top-2", base: "minilm", method: ["top-layers", "--count", "2"], batch: 32, tokens: 128 },
  { name: "minilm-bottleneck-long", base: "minilm", method: ["bottleneck"], batch: 4, tokens: 512 },
  { name: "minilm-lora-accumulate", base: "minilm", method: ["lora"], batch: 8, tokens: 256, accumulate: 4 },
  {
    name: "encoder-full-accumulate",
    base: "petl-mini-encoder",
    method: ["full"],
    batch: 64,
    tokens: 64,
    accumulate: 2,
  },
  {
    name: "decoder-lora-all",
    base: "petl-mini-decoder",
    method: ["lora", "--targets", "all-linear"],
    batch: 16,
    tokens: 256,
  },
  { name: "decoder-full", base: "petl-mini-decoder", method: ["full"], batch: 8, tokens: 256 },
  { name: "llama-lora", base: "llama", method: ["lora"], batch: 2, tokens: 128 },
  { name: "llama-lora-4-bits", base: "llama-4", method: ["lora"], batch: 2, tokens: 128 },
  { name: "llama-lora-8-bits", base: "llama-8", method: ["lora", "--targets", "all-linear"], batch: 1, tokens: 256 },
];

/** Bases of random weights that were written already, by their names. */
const written = new Map();
const folder = await mkdtemp(join(tmpdir(), "petl-plan-"));
let missed = 0;
try {
  const chosen = values.only?.split(",");
  for (const combination of combinations.filter(({ name }) => !chosen || chosen.includes(name))) {
    const record = await compared(combination);
    console.log(JSON.stringify(record));
    await appendFile(values.out, `${JSON.stringify(record)}\n`);
    if (Math.abs(record.ratio - 1) > 0.1) missed++;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
if (missed > 0) throw new Error(`${missed} peaks were missed by more than a tenth`);

async function compared({ name, base, method, batch, tokens, accumulate = 1 }) {
  const where = await baseNamed(base);
  const decodes = !["minilm", "petl-mini-encoder"].includes(base);
  const task = ["--task", decodes ? "causal-lm" : "classification"];
  const load = ["--batch", batch, "--max-length", tokens, "--accumulate", accumulate, "--threads", values.threads].map(
    String,
  );
  const rows = join(folder, `${name}.jsonl`);
  await writeFile(rows, rowsOf(batch * accumulate * Number(values.steps), tokens, decodes, await vocabularyOf(where)));
  const planned = await petl("plan", "--base", where, "--method", ...method, ...task, ...load);
  const [{ training_memory_bytes, adapter_bytes }] = planned.plans;
  const run = ["--steps", values.steps, "--out", join(folder, name)];
  const trained = await petl("train", "--base", where, "--data", rows, "--method", ...method, ...task, ...load, ...run);
  await rm(join(folder, name), { recursive: true });
  return {
    benchmark: "plan-memory",
    date: new Date().toISOString().slice(0, 10),
    name,
    batch,
    tokens,
    accumulate,
    planned: training_memory_bytes,
    peak_rss_bytes: trained.peak_rss_bytes,
    ratio: training_memory_bytes.total / trained.peak_rss_bytes,
    adapter_bytes,
    adapter_bytes_trained: trained.adapter_bytes,
    steps: Number(values.steps),
    ...surroundings(),
  };
}

/** Rows of random tokens, each as long as rows can be. */
function rowsOf(count, tokens, decodes, vocabulary) {
  const draw = random(0, "rows");
  const row = (label) => ({
    input_ids: Array.from({ length: tokens }, () => draw.uint32() % vocabulary),
    ...(decodes ? {} : { label }),
  });
  return Array.from({ length: count }, (_, i) => `${JSON.stringify(row(i % 2))}\n`).join("");
}

async function vocabularyOf(base) {
  return JSON.parse(await readFile(join(base, "config.json"), "utf8")).vocab_size;
}

async function baseNamed(name) {
  if (name === "minilm") return values.minilm;
  if (!name.startsWith("llama")) return join("models", name);
  const [, bits = "32"] = name.split("-");
  const path = join(folder, name);
  if (!written.has(name)) await writeRandomBase(path, llama, Number(bits));
  written.set(name, path);
  return path;
}
