// A bank of adapters: batches of 32 rows whose rows ask 1, 8, 32 … distinct adapters out of those resident, beside the same
// batches of the base alone, four of each in turn in one process; and what loading an adapter takes and holds.
//   node --expose-gc bench/bank.mjs [--base FOLDER] [--adapters 1000] [--distinct 1,8,32] [--rounds 10] [--tokens 32] [--python PYTHON]
// With --python, PEFT's mixed batches (`adapter_names`) of as many distinct adapters run in turn with them.
// Appends a record to results/bank.jsonl.
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { adaptTo, lora, openBank, openBase, saveAdapter } from "petl";
import { median, openHalf, surroundings } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string", default: "../shared/data/checkpoints/all-minilm-l6-v2" },
    adapters: { type: "string", default: "1000" },
    distinct: { type: "string", default: "1,8,32" },
    rounds: { type: "string", default: "10" },
    tokens: { type: "string", default: "32" },
    threads: { type: "string", default: "1" },
    python: { type: "string" },
    out: { type: "string", default: "results/bank.jsonl" },
  },
});
const [count, rounds, threads] = [values.adapters, values.rounds, values.threads].map(Number);
const batch = 32;
/** Batches of one way behind one another: what they leave to the collector is collected during the next one. */
const inTurn = 4;
/** how often the collector looked through the whole heap */
let collections = 0;
new PerformanceObserver((list) => {
  /** @type {any[]} what kind of collection it was is not in Node's types */
  const entries = list.getEntries();
  collections += entries.filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
}).observe({ entryTypes: ["gc"] });
const scratch = await mkdtemp(join(tmpdir(), "petl-bank-"));
const base = await openBase(values.base, { threads });
const bank = await openBank(base, { resident: count, maxBatch: 128, maxWait: 0 });
try {
  const loading = await loadAll();
  const rows = [];
  for (const distinct of values.distinct.split(",").map(Number)) rows.push(await compared(distinct));
  const record = {
    benchmark: "bank",
    date: new Date().toISOString().slice(0, 10),
    base: values.base.split("/").at(-1),
    method: "lora",
    rank: 8,
    resident: count,
    tokens: Number(values.tokens),
    threads,
    rounds,
    batches_in_turn: inTurn,
    ...loading,
    rows,
    surroundings: surroundings(),
  };
  await appendFile(values.out, `${JSON.stringify(record)}\n`);
  process.stdout.write(`${JSON.stringify(loading)}\n`);
  console.table(rows);
} finally {
  await bank.close();
  await base.close();
  await rm(scratch, { recursive: true, force: true });
}

/** Makes and loads all adapters; what that takes, and what stays in memory of each. */
async function loadAll() {
  const model = await adaptTo(base, lora({ rank: 8 }), { task: "classification", labels: ["a", "b"] });
  const start = model.phi.values.slice();
  const path = (at) => join(scratch, `adapter-${at}`);
  for (let at = 0; at < count; at++) {
    model.phi.values.set(start.map((value, i) => value + 0.02 * Math.sin(i * (at + 1))));
    await saveAdapter(model, path(at));
  }
  await bank.load("adapter-0", path(0)); // the first compiles
  const before = resident();
  const begin = performance.now();
  for (let at = 1; at < count; at++) await bank.load(`adapter-${at}`, path(at));
  const milliseconds = (performance.now() - begin) / Math.max(1, count - 1);
  const bytes = start.byteLength;
  const held = (resident() - before) / Math.max(1, count - 1);
  return { adapter_bytes: bytes, load_ms: milliseconds, resident_bytes: held, resident_ratio: held / bytes };
}

function resident() {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

/** Milliseconds of batches that ask so many distinct adapters, of the base alone, and of PEFT's. */
async function compared(distinct) {
  const size = Math.max(batch, distinct);
  const text = (row) =>
    Array.from({ length: Number(values.tokens) - 2 }, (_, at) => ["the", "film", "was", "good"][(row + at) % 4]).join(
      " ",
    );
  const asked = (adapter) => Array.from({ length: size }, (_, row) => ({ adapter: adapter(row), text: text(row) }));
  const taken = { mixed: [], alone: [] };
  const python =
    values.python &&
    (await openHalf("peft", values.python, [
      ...["bench/python/adapter_names.py", "--base", values.base, "--distinct", String(distinct)],
      ...["--batch", String(size), "--tokens", values.tokens, "--threads", values.threads],
    ]));
  let asks = 0;
  const others = () => {
    const first = (asks++ * distinct) % count; // other adapters in every batch, so that they are placed anew
    return asked((row) => `adapter-${(first + (row % distinct)) % count}`);
  };
  for (let round = 0; round <= rounds; round++) {
    taken.mixed.push(await ofBatches(() => bank.embed(others())));
    taken.alone.push(await ofBatches(() => bank.embed(asked(() => null))));
    if (python) await python.run(inTurn);
  }
  python?.close();
  const of = (way, what) => median(taken[way].slice(1).map((each) => each[what]));
  const peft = python ? median(python.times.slice(inTurn)) : undefined;
  return {
    distinct,
    rows: size,
    mixed_ms: of("mixed", "wall"),
    base_ms: of("alone", "wall"),
    speed_of_base: of("alone", "wall") / of("mixed", "wall"),
    mixed_cpu_ms: of("mixed", "processor"),
    base_cpu_ms: of("alone", "processor"),
    speed_of_base_by_cpu: of("alone", "processor") / of("mixed", "processor"),
    mixed_collections: of("mixed", "collections"),
    base_collections: of("alone", "collections"),
    peft_ms: peft,
    peft_over_mixed: peft && peft / of("mixed", "wall"),
  };
}

/**
 * Of each of the batches that a way computes in turn: milliseconds, those of the processor, which other work on the machine
 * hardly changes, and how often the whole heap was looked through.
 */
async function ofBatches(work) {
  collections = 0;
  const [start, before] = [performance.now(), process.cpuUsage()];
  for (let at = 0; at < inTurn; at++) await work();
  const { user, system } = process.cpuUsage(before);
  const wall = performance.now() - start;
  await setTimeout(5); // observers are told later
  return { wall: wall / inTurn, processor: (user + system) / 1000 / inTurn, collections: collections / inTurn };
}
