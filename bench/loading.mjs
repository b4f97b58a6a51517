// What putting an adapter on an open base takes: LoRA of rank 8 from its folder, beside building the base's forward graph,
// which loading does without. Medians of loads in turn, in one process; the first load of each is not counted.
//   node bench/loading.mjs [--base FOLDER] [--rounds 30]
// Appends a record to results/loading.jsonl.
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { adaptTo, loadAdapter, lora, openBase, saveAdapter } from "petl";
import { median, surroundings } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string", default: "../shared/data/checkpoints/all-minilm-l6-v2" },
    rounds: { type: "string", default: "30" },
    out: { type: "string", default: "results/loading.jsonl" },
  },
});

const scratch = await mkdtemp(join(tmpdir(), "petl-loading-"));
const base = await openBase(values.base, { threads: 1 });
try {
  const folder = join(scratch, "adapter");
  const made = await adaptTo(base, lora({ rank: 8 }), { task: "classification", labels: ["a", "b"] });
  const bytes = await saveAdapter(made, folder);
  const times = { load: [], graph: [] };
  for (let round = 0; round <= Number(values.rounds); round++) {
    times.load.push(await milliseconds(() => loadAdapter(base, folder)));
    times.graph.push(await milliseconds(async () => made.adapted.forward()));
  }
  const [load, graph] = [times.load, times.graph].map((each) => median(each.slice(1)));
  const record = {
    ...{ benchmark: "loading", date: new Date().toISOString().slice(0, 10), base: values.base.split("/").at(-1) },
    ...{ method: "lora", rank: 8, bytes, rounds: Number(values.rounds), first_load_ms: times.load[0] },
    ...{ load_ms: load, forward_graph_ms: graph, ratio: load / graph, surroundings: surroundings() },
  };
  await appendFile(values.out, `${JSON.stringify(record)}\n`);
  process.stdout.write(`load ${load.toFixed(1)} ms, forward graph ${graph.toFixed(1)} ms\n`);
} finally {
  await base.close();
  await rm(scratch, { recursive: true, force: true });
}

async function milliseconds(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
