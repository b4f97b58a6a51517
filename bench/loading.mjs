// What putting an adapter on an open base takes: LoRA of rank 16, 600 kB, from its folder, beside building the base's forward graph,
// which loading does without. Medians of loads in turn, in one process; the first load of each is not counted.
//   node bench/loading.mjs [--base FOLDER] [--rank 16] [--rounds 200]
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
    rank: { type: "string", default: "16" },
    rounds: { type: "string", default: "200" },
    out: { type: "string", default: "results/loading.jsonl" },
  },
});

const rank = Number(values.rank);
const scratch = await mkdtemp(join(tmpdir(), "petl-loading-"));
const base = await openBase(values.base, { threads: 1 });
try {
  const folder = join(scratch, "adapter");
  const made = await adaptTo(base, lora({ rank }), { task: "classification", labels: ["a", "b"] });
  const bytes = await saveAdapter(made, folder);
  const taken = { load: [], graph: [] };
  for (let round = 0; round <= Number(values.rounds); round++) {
    taken.load.push(await milliseconds(() => loadAdapter(base, folder)));
    taken.graph.push(await milliseconds(async () => made.adapted.forward()));
  }
  const middle = (way, clock) => median(taken[way].slice(1).map((each) => each[clock]));
  const [load, graph] = [middle("load", "wall"), middle("graph", "wall")];
  const [loadCpu, graphCpu] = [middle("load", "processor"), middle("graph", "processor")];
  const record = {
    benchmark: "loading",
    date: new Date().toISOString().slice(0, 10),
    base: values.base.split("/").at(-1),
    method: "lora",
    rank,
    bytes,
    rounds: Number(values.rounds),
    first_load_ms: taken.load[0].wall,
    load_ms: load,
    forward_graph_ms: graph,
    ratio: load / graph,
    load_cpu_ms: loadCpu,
    forward_graph_cpu_ms: graphCpu,
    ratio_by_cpu: loadCpu / graphCpu,
    surroundings: surroundings(),
  };
  await appendFile(values.out, `${JSON.stringify(record)}\n`);
  process.stdout.write(`load ${load.toFixed(1)} ms, forward graph ${graph.toFixed(1)} ms\n`);
  process.stdout.write(`of the processor: ${loadCpu.toFixed(1)} ms, ${graphCpu.toFixed(1)} ms\n`);
} finally {
  await base.close();
  await rm(scratch, { recursive: true, force: true });
}

/** What some work takes, and what of it the processor works, which other work on the machine changes less. */
async function milliseconds(work) {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - start, processor: (user + system) / 1000 };
}
