// Times training steps of LoRA (rank 8, alpha 16, query and value): forward, backward, clip and AdamW.
// The same work and the same protocol as bench/python/step.py: after its warm-up it prints {"ready": true, …}; a line
// "N" on stdin then runs N steps and prints {"ms": [per step], "rss": peak bytes, "loss": last}.
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { adapt, initialPhi, parseSettings, trainSteps } from "@petl/core";
import { lora, openBase } from "petl";

const { values } = parseArgs({
  options: {
    base: { type: "string" },
    batch: { type: "string", default: "16" },
    tokens: { type: "string", default: "128" },
    threads: { type: "string", default: "2" },
    "warm-up": { type: "string", default: "2" },
  },
});
const [batch, tokens, threads, warmUp] = [values.batch, values.tokens, values.threads, values["warm-up"]].map(Number);

const base = await openBase(values.base, { threads });
const method = lora({ rank: 8, alpha: 16, targets: "query,value" });
const adapted = adapt(base, [method], { task: "classification", labels: 2 });
const phi = await initialPhi(adapted, 0);
let state = 1;
const next = (below) => {
  state = (state * 48271) % 2147483647;
  return state % below;
};
const { vocabulary } = base.model.sizes;
const examples = Array.from({ length: batch }, () => ({
  inputIds: Int32Array.from({ length: tokens }, () => 1000 + next(vocabulary - 1000)),
  target: { kind: /** @type {const} */ ("class"), id: next(2) },
}));
const settings = parseSettings({ steps: 1_000_000, batch, lr: 1e-4, schedule: "constant", checkpointEvery: 0 });
const events = trainSteps({ engine: base.engine, adapted, phi, examples, settings });
await events.next();
const openedSeconds = performance.now() / 1000; // since the process began: base opened, graph compiled

async function step() {
  const begin = performance.now();
  const { value } = /** @type {{ value?: import("@petl/core").TrainingEvent }} */ (await events.next());
  if (value?.kind !== "step") throw new Error(`a step was to come, and ${value?.kind ?? "the end"} came`);
  return { ms: performance.now() - begin, loss: value.loss };
}

const first = await step();
for (let i = 1; i < warmUp; i++) await step();
say({ ready: true, mode: "petl", opened_seconds: openedSeconds, first_step_seconds: first.ms / 1000 });
for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) break;
  const ms = [];
  let loss = 0;
  for (let i = 0; i < Number(line); i++) {
    const result = await step();
    ms.push(Math.round(result.ms * 1000) / 1000);
    loss = result.loss;
  }
  say({ ms, rss: process.resourceUsage().maxRSS * 1024, loss });
}
await events.return();
await base.close();

function say(document) {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}
