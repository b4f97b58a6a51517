// One measurement of bench/vocabulary.mjs: steps of LoRA, or evaluations, on random rows, with all logits at once or in
// chunks. Prints {"ms", "peak_rss_bytes", "rss_before_bytes", "loss"}.
import { parseArgs } from "node:util";
import { adapt, compileEvaluation, compileStep, initialPhi, nextTokens } from "@petl/core";
import { lora, openBase } from "petl";
import { median } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string" },
    rows: { type: "string" },
    tokens: { type: "string" },
    steps: { type: "string" },
    work: { type: "string" },
    logits: { type: "string" },
  },
});
const [rows, tokens, steps] = [values.rows, values.tokens, values.steps].map(Number);
const logitsAtOnce = values.logits === "whole" ? Number.POSITIVE_INFINITY : undefined;

const base = await openBase(values.base, { threads: 2 });
const adapted = adapt(base, [lora({ rank: 8 })], { task: "causal-lm", labels: 1 });
const phi = await initialPhi(adapted, 0);
let state = 1;
const next = (below) => {
  state = (state * 48271) % 2147483647;
  return state % below;
};
const { vocabulary } = base.model.sizes;
const examples = Array.from({ length: rows }, () => {
  const inputIds = Int32Array.from({ length: tokens }, () => 3 + next(vocabulary - 3));
  return { inputIds, target: nextTokens({ inputIds }) };
});
const { run, release } = values.work === "train" ? await stepping() : await evaluating();
const before = process.memoryUsage().rss;
const ms = [];
let loss = 0;
for (let i = 0; i < steps; i++) {
  const begin = performance.now();
  loss = await run();
  ms.push(performance.now() - begin);
}
await release();
await base.close();
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ ms: median(ms), peak_rss_bytes: peak, rss_before_bytes: before, loss })}\n`);

async function stepping() {
  const step = await compileStep(base.engine, adapted, { dropout: 0, labelSmoothing: 0, logitsAtOnce });
  const ids = Int32Array.from(examples.flatMap(({ inputIds }) => [...inputIds]));
  const labels = Int32Array.from(examples.flatMap(({ target }) => (target?.kind === "tokens" ? [...target.ids] : [])));
  const tensor = (data) => ({ dtype: /** @type {const} */ ("int32"), shape: [rows, tokens], data });
  const items = rows * (tokens - 1);
  const batch = {
    input_ids: tensor(ids),
    attention_mask: tensor(new Int32Array(ids.length).fill(1)),
    token_type_ids: tensor(new Int32Array(ids.length)),
    labels: tensor(labels),
    items,
  };
  /** @type {Float32Array} */
  let vector = new Float32Array(phi.values.length);
  return {
    async run() {
      const found = await step.run(batch, phi, { loss: 1 / items, teacher: 0, penalty: 0 }, 0, vector);
      vector = found.gradient;
      return found.loss;
    },
    release: () => step.release(),
  };
}

async function evaluating() {
  const evaluation = await compileEvaluation(base.engine, adapted, { logitsAtOnce });
  return { run: async () => (await evaluation.run(phi, examples)).loss, release: () => evaluation.release() };
}
