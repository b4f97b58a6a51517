// Long rows: time and peak memory of LoRA steps on one row, as it is and with --recompute, beside PEFT with
// scaled-dot-product attention, as it is and with gradient checkpointing. Whole processes in turn; bases have random weights.
//   node bench/long-rows.mjs --shape small|qwen [--tokens 4096] [--steps 2] [--bits 32|16|4] [--python PYTHON] [--ways plain,recompute]
// Prints the table and appends the record to results/long-rows.jsonl.
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { childrenSeconds, runToEnd, surroundings } from "./halves.mjs";
import { writeRandomBase } from "./random-base.mjs";

const shapes = {
  small: {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    torch_dtype: "float32",
    rms_norm_eps: 1e-5,
    vocab_size: 8192,
    hidden_size: 512,
    intermediate_size: 1408,
    max_position_embeddings: 8192,
    num_hidden_layers: 8,
    num_attention_heads: 8,
    num_key_value_heads: 8,
    tie_word_embeddings: true,
    bos_token_id: 0,
    eos_token_id: 1,
    pad_token_id: 2,
  },
  /** Qwen2-0.5B's shape (Yang et al. 2024, arXiv:2407.10671, table 1) */
  qwen: {
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    torch_dtype: "float32",
    rms_norm_eps: 1e-6,
    vocab_size: 151936,
    hidden_size: 896,
    intermediate_size: 4864,
    max_position_embeddings: 32768,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    num_key_value_heads: 2,
    tie_word_embeddings: true,
    rope_theta: 1e6,
    bos_token_id: 0,
    eos_token_id: 1,
    pad_token_id: 2,
  },
};

const { values } = parseArgs({
  options: {
    shape: { type: "string", default: "small" },
    tokens: { type: "string", default: "4096" },
    steps: { type: "string", default: "2" },
    bits: { type: "string", default: "32" },
    threads: { type: "string", default: "2" },
    ways: { type: "string", default: "plain,recompute" },
    python: { type: "string" },
    out: { type: "string", default: "results/long-rows.jsonl" },
  },
});
const config = shapes[values.shape];
if (!config) throw new Error(`--shape is ${values.shape}; there are: ${Object.keys(shapes).join(", ")}`);
const [tokens, steps] = [Number(values.tokens), Number(values.steps)];
const folder = await mkdtemp(join(tmpdir(), "petl-long-rows-"));
try {
  const base = join(folder, "base");
  const rows = join(folder, "rows.jsonl");
  await writeRandomBase(base, config, Number(values.bits));
  const ids = Array.from({ length: tokens }, (_id, i) => 3 + ((i * 48271) % (config.vocab_size - 3)));
  await writeFile(rows, `${JSON.stringify({ input_ids: ids })}\n`.repeat(steps));
  const parts = [];
  for (const way of values.ways.split(",")) {
    for (const [half, run] of Object.entries(values.python ? { petl, peft } : { petl })) {
      const before = await childrenSeconds();
      const found = await run(base, rows, way);
      parts.push({ half, way, ...found, process_cpu_seconds: (await childrenSeconds()) - before });
    }
  }
  const { python: _, out, ...asked } = values;
  const record = {
    benchmark: "long-rows",
    date: new Date().toISOString().slice(0, 10),
    ...asked,
    parts,
    ...surroundings(),
  };
  await appendFile(out, `${JSON.stringify(record)}\n`);
  console.table(parts);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function petl(base, rows, way) {
  const bin = fileURLToPath(new URL("../packages/petl/bin/petl.js", import.meta.url));
  const run = ["--base", base, "--data", rows, "--task", "causal-lm", "--method", "lora", "--rank", "8"];
  const how = ["--batch", "1", "--steps", String(steps), "--max-length", String(tokens), "--threads", values.threads];
  const out = ["--cache", "off", "--out", join(folder, `petl-${way}`), "--json"];
  const more = way === "recompute" ? ["--recompute"] : [];
  const found = await runToEnd(process.execPath, [bin, "train", ...run, ...how, ...out, ...more]);
  return { seconds_per_step: found.seconds / steps, peak_rss_bytes: found.peak_rss_bytes, loss: found.loss };
}

function peft(base, rows, way) {
  const script = fileURLToPath(new URL("python/long_rows.py", import.meta.url));
  const more = way === "recompute" ? ["--checkpointing"] : [];
  const shape = ["--base", base, "--rows", rows, "--steps", String(steps), "--threads", values.threads];
  return runToEnd(values.python, [script, ...shape, ...more]);
}
