// Peak memory of a LoRA step and of an evaluation where the vocabulary is large: with all logits at once, and in chunks.
//   node bench/vocabulary.mjs [--vocabulary 150000] [--hidden 64] [--rows 8] [--tokens 128] [--steps 2]
// The base is a random Llama of two layers with tied embeddings, made in a temporary folder. Each measurement is a process
// of its own. Prints the table and appends the record to results/vocabulary.jsonl.
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runToEnd, surroundings } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    vocabulary: { type: "string", default: "150000" },
    hidden: { type: "string", default: "64" },
    rows: { type: "string", default: "8" },
    tokens: { type: "string", default: "128" },
    steps: { type: "string", default: "2" },
    out: { type: "string", default: "results/vocabulary.jsonl" },
  },
});
const [vocabulary, hidden, rows, tokens, steps] = ["vocabulary", "hidden", "rows", "tokens", "steps"].map((name) =>
  Number(values[name]),
);
const folder = await mkdtemp(join(tmpdir(), "petl-vocabulary-"));
try {
  await writeBase();
  const half = fileURLToPath(new URL("petl-vocabulary.mjs", import.meta.url));
  const shape = ["--base", folder, "--rows", String(rows), "--tokens", String(tokens), "--steps", String(steps)];
  const parts = [];
  for (const work of ["train", "evaluate"]) {
    for (const logits of ["whole", "chunks"]) {
      const found = await runToEnd(process.execPath, [half, ...shape, "--work", work, "--logits", logits]);
      parts.push({ work, logits, ...found });
    }
  }
  const record = {
    benchmark: "vocabulary",
    date: new Date().toISOString().slice(0, 10),
    vocabulary,
    hidden,
    rows,
    tokens,
    logits_bytes: 4 * rows * (tokens - 1) * vocabulary,
    parts,
    ...surroundings(),
  };
  await appendFile(values.out, `${JSON.stringify(record)}\n`);
  console.table(parts);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function writeBase() {
  const { safetensorsBytes, untrainedTensors } = await import("@petl/core");
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: vocabulary,
    hidden_size: hidden,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    intermediate_size: 4 * hidden,
    max_position_embeddings: tokens,
    initializer_range: 0.02,
    tie_word_embeddings: true,
    bos_token_id: 0,
    eos_token_id: 1,
    pad_token_id: 2,
  };
  const tensors = await untrainedTensors(config, { head: "causal-lm" }, 0);
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(join(folder, "model.safetensors"), safetensorsBytes(tensors));
}
