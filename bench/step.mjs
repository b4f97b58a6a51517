// petl's LoRA training step beside PEFT's, interleaved: BERT-base shape, 16 rows of 128 tokens, two threads.
//   node bench/step.mjs --python PYTHON --base FOLDER [--rounds 6] [--steps 2] [--batch 16] [--tokens 128] [--modes eager,sdpa,compile]
// FOLDER: any BERT checkpoint; `python bench/python/make_base.py FOLDER` makes one of BERT-base's shape.
// Prints the medians and petl's ratio to the best of PEFT's modes, and appends the record to results/step.jsonl.
import { appendFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { median, openHalf, surroundings } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    base: { type: "string" },
    rounds: { type: "string", default: "6" },
    steps: { type: "string", default: "2" },
    batch: { type: "string", default: "16" },
    tokens: { type: "string", default: "128" },
    modes: { type: "string", default: "eager,sdpa,compile" },
    out: { type: "string", default: "results/step.jsonl" },
  },
});
const shape = ["--base", values.base, "--batch", values.batch, "--tokens", values.tokens, "--threads", "2"];
const halves = [];
halves.push(await openHalf("petl", process.execPath, ["bench/petl-step.mjs", ...shape]));
for (const mode of values.modes.split(",")) {
  halves.push(await openHalf(mode, values.python, ["bench/python/step.py", ...shape, "--mode", mode]));
}
for (let round = 0; round < Number(values.rounds); round++) {
  for (const half of halves) await half.run(Number(values.steps));
}
const rows = halves.map(({ name, ready, times, rss }) => ({
  name,
  median_ms: median(times),
  min_ms: Math.min(...times),
  peak_rss_bytes: rss(),
  ...(ready.opened_seconds && { opened_seconds: ready.opened_seconds, first_step_seconds: ready.first_step_seconds }),
}));
const [petl, ...others] = rows;
const best = others.reduce((a, b) => (b.median_ms < a.median_ms ? b : a));
const record = {
  benchmark: "step",
  date: new Date().toISOString().slice(0, 10),
  batch: Number(values.batch),
  tokens: Number(values.tokens),
  rows,
  best_of_peft: best.name,
  ratio: petl.median_ms / best.median_ms,
  memory_ratio: petl.peak_rss_bytes / Math.min(...others.map((row) => row.peak_rss_bytes)),
  ...surroundings(),
};
await appendFile(values.out, `${JSON.stringify(record)}\n`);
console.table(rows);
console.log(
  `petl / ${best.name}: ${record.ratio.toFixed(3)} of the time, ${record.memory_ratio.toFixed(2)} of the memory of PEFT's leanest mode`,
);
for (const half of halves) half.close();
