// A LoRA training step on a device: milliseconds a step on it and on the processor, the same base and batch, whole processes
// in turn, and with --python torch's on the same card.
//   node bench/device.mjs --device webgpu|cuda --base FOLDER [--rows 16] [--tokens 128] [--steps 5] [--python PYTHON]
// Appends a record to results/device.jsonl; what could not be measured stands there with the reason.
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runToEnd, surroundings } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    device: { type: "string", default: "webgpu" },
    base: { type: "string", default: "../shared/data/checkpoints/all-minilm-l6-v2" },
    rows: { type: "string", default: "16" },
    tokens: { type: "string", default: "128" },
    steps: { type: "string", default: "5" },
    python: { type: "string" },
    out: { type: "string", default: "results/device.jsonl" },
  },
});
const [rows, tokens, steps] = [values.rows, values.tokens, values.steps].map(Number);
const folder = await mkdtemp(join(tmpdir(), "petl-device-"));
try {
  const data = join(folder, "rows.jsonl");
  const rowOf = (label) => ({
    input_ids: Array.from({ length: tokens }, (_, i) => 1000 + ((i * 7919 + label) % 20000)),
    label,
  });
  const lines = Array.from({ length: rows * steps }, (_, i) => `${JSON.stringify(rowOf(i % 2))}\n`);
  await writeFile(data, lines.join(""));
  const parts = [];
  for (const device of ["cpu", values.device])
    parts.push({ half: "petl", device, ...(await tried(() => petl(data, device))) });
  if (values.python) parts.push({ half: "torch", device: values.device, ...(await tried(() => torch(data))) });
  const record = { benchmark: "device", date: new Date().toISOString().slice(0, 10), rows, tokens, steps, parts };
  await appendFile(values.out, `${JSON.stringify({ ...record, ...surroundings() })}\n`);
  console.table(parts);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** What was measured, or why nothing was. */
function tried(measure) {
  return measure().catch(({ message }) => ({ not_measured: message }));
}

async function petl(data, device) {
  const bin = fileURLToPath(new URL("../packages/petl/bin/petl.js", import.meta.url));
  const out = join(folder, device);
  const how = [
    "--method",
    "lora",
    "--batch",
    values.rows,
    "--steps",
    values.steps,
    "--cache",
    "off",
    "--validation",
    "0",
  ];
  await runToEnd(process.execPath, [
    ...[bin, "train", "--base", values.base, "--data", data, "--device", device],
    ...[...how, "--out", out, "--json"],
  ]);
  const seconds = (await readFile(join(out, "metrics.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).seconds);
  return { ms_per_step: (1000 * (seconds.at(-1) - seconds[0])) / (seconds.length - 1) };
}

function torch(data) {
  const script = fileURLToPath(new URL("python/device.py", import.meta.url));
  return runToEnd(values.python, [script, "--base", values.base, "--rows", data, "--batch", values.rows]);
}
