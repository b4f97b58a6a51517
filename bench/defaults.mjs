// What `petl train` chooses for small data, beside the best of a small sweep over rates and epochs, on rows that neither
// has seen. Ten sets, as many rows as --rows says, the smallest first.
//   node bench/defaults.mjs run [--base FOLDER] [--sets NAME,…] [--rows 100,300] [--methods head,lora] [--threads 1]
//   node bench/defaults.mjs table > results/defaults.md
// Each training is a line of results/defaults.jsonl; what is there already is not run again.
import { appendFile, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { prepareTraining, trainSteps } from "@petl/core";
import { adaptTo, evaluate, methods as known, openBase, openData } from "petl";
import { drawn, sets } from "./defaults-rows.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    base: { type: "string", default: "../shared/data/checkpoints/all-minilm-l6-v2" },
    sets: {
      type: "string",
      default: Object.keys(sets)
        .filter((name) => name !== "clinc_intents")
        .join(","),
    },
    rows: { type: "string", default: "100,300,1000,3000" },
    methods: { type: "string", default: "head,lora" },
    held: { type: "string", default: "1000" },
    threads: { type: "string", default: "1" },
    out: { type: "string", default: "results/defaults.jsonl" },
  },
});
const listed = (text) => text.split(",");

/** The rates that are tried beside what is chosen, and for so many rows at most the epochs, fewer for larger sets. */
const rates = {
  head: [1e-3, 5e-3, 2e-2],
  lora: [1e-3, 3e-3],
  bitfit: [1e-3, 5e-3],
  bottleneck: [5e-4, 2e-3],
  full: [5e-5, 3e-4],
};
const lengths = [
  { rows: 100, epochs: [10, 30] },
  { rows: 300, epochs: [5, 15] },
  { rows: 1000, epochs: [6] },
  { rows: Number.POSITIVE_INFINITY, epochs: [4] },
];
/** A head alone learns from what is kept of the base, so that its epochs cost next to nothing. */
const headEpochs = [10, 30, 100];

const records = async () =>
  (await readFile(values.out, "utf8").catch(() => ""))
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

const keyOf = ({ base, set, rows, method, held, settings }) =>
  JSON.stringify([base, set, rows, method, held, settings]);

function sweepOf(method, rows) {
  const lengthsTried = method === "head" ? headEpochs : lengths.find((each) => rows <= each.rows).epochs;
  return rates[method].flatMap((lr) =>
    lengthsTried.map((epochs) => ({ lr, epochs, batch: rows < 1000 ? 16 : 32, warmup: 0.1 })),
  );
}

/** What of a training's settings tells it from the others. */
/** @type {(goal: { pooling?: string }, settings: import("@petl/core").TrainingSettings) => object} */
const told = ({ pooling }, { lr, epochs, batch, warmup, schedule }) => ({
  pooling,
  lr,
  epochs,
  batch,
  warmup,
  schedule,
});

async function run() {
  const done = new Map((await records()).map((record) => [keyOf(record), record]));
  const base = await openBase(values.base, { threads: Number(values.threads), offline: true });
  for (const rows of listed(values.rows).map(Number))
    for (const set of listed(values.sets)) {
      const { train, test } = await drawn(set, rows, Number(values.held));
      const data = await openData({ train, test }, base);
      for (const method of listed(values.methods))
        for (const options of [{}, ...sweepOf(method, rows)]) {
          const record = await trained(base, { set, rows, method, data, options, done });
          if (record) await appendFile(values.out, `${JSON.stringify(record)}\n`);
          if (record) done.set(keyOf(record), record);
        }
    }
  await base.close();
}

/** A training's record; undefined where there is one already. */
async function trained(base, { set, rows, method, data, options, done }) {
  const model = await adaptTo(base, known.find(({ name }) => name === method).use({}), data);
  // packing changes roundings alone and saves a tenth of the time
  const prepared = await prepareTraining(model, { train: data.train }, { prepack: true, ...options });
  const about = { base: basename(values.base), set, rows, method, held: data.test.examples.length };
  const settings = told(model.adapted.goal, prepared.settings);
  if (done.has(keyOf({ ...about, settings }))) return undefined;
  const cache = await model.base.openCache({ cache: "memory", cacheType: "float32" });
  const began = performance.now();
  for await (const _ of trainSteps({ ...prepared, cache }));
  const seconds = (performance.now() - began) / 1000;
  const { accuracy, f1_macro, loss, majority } = await evaluate(model, data.test);
  const date = new Date().toISOString().slice(0, 10);
  const result = {
    chosen: Object.keys(options).length === 0,
    benchmark: "defaults",
    date,
    ...about,
    settings,
    accuracy,
    f1_macro,
    loss,
    majority: majority.accuracy,
    seconds: Number(seconds.toFixed(1)),
  };
  console.error(set, rows, method, JSON.stringify(settings), accuracy.toFixed(3), `${seconds.toFixed(0)} s`);
  return result;
}

/** Where two thirds of the rows have one label, accuracy pays for always giving it. */
const measureOf = ({ majority }) => (majority > 2 / 3 ? "f1_macro" : "accuracy");

/** For each set, size and method: what the present choice gives, the best of all that was tried, and how far it is off. */
async function table() {
  const groups = new Map();
  for (const record of await records()) {
    const { base, rows, method, set, held } = record;
    const key = JSON.stringify([base, rows, method, set, held]);
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  const lines = [...groups.entries()].sort().map(([key, tried]) => {
    const [base, rows, method, set] = JSON.parse(key);
    const measure = measureOf(tried[0]);
    const best = tried.reduce((a, b) => (b[measure] > a[measure] ? b : a));
    const chosen = tried.findLast((record) => record.chosen);
    return {
      about: [base, rows, method, set, measure],
      tried: tried.length,
      chosen: chosen?.[measure],
      best: best[measure],
      how: `${best.settings.lr}, ${best.settings.epochs}`,
    };
  });
  lines.sort(({ about: [, a] }, { about: [, b] }) => a - b);
  const off = lines.flatMap(({ chosen, best }) => (chosen === undefined ? [] : [best - chosen]));
  const near = off.filter((each) => each <= 0.02 + 1e-9).length;
  console.log("# What `petl train` chooses, beside the best of a small sweep\n");
  console.log(
    "Written by `node bench/defaults.mjs table` from [defaults.jsonl](defaults.jsonl): per cent on held rows, which",
  );
  console.log("choose the best as well, so that some of what it is better by is chance.");
  console.log(`Within 2 points of the best: ${near} of ${off.length}.\n`);
  const row = (cells) => console.log(`| ${cells.join(" | ")} |`);
  const head = ["base", "rows", "method", "set", "measure", "chosen", "best", "off", "best rate, epochs", "tried"];
  row(head);
  row(head.map(() => "---"));
  for (const { about, tried, chosen, best, how } of lines)
    row([...about, ...[chosen, best, best - (chosen ?? Number.NaN)].map(percent), how, tried]);
}

const percent = (share) => (Number.isFinite(share) ? (100 * share).toFixed(1) : "–");

await (positionals[0] === "table" ? table() : run());
