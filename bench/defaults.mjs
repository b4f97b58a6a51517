// What `petl train` chooses for small data, beside the best of a small sweep over rates and epochs, on rows that neither
// has seen. Ten sets, as many rows as --rows says, the smallest first.
//   node bench/defaults.mjs run [--base FOLDER] [--sets NAME,…] [--rows 100,300] [--methods head,lora] [--threads 1]
//   node bench/defaults.mjs again [--seeds 1,2,3,4]
//   node bench/defaults.mjs table > results/defaults.md
// `again` trains what is off the best by more than 2 points, and that best, with other rows and other seeds: the first
// run's held rows chose the best, so that they flatter it. Each training is a line of results/defaults.jsonl; what is there already is not run again.
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
    seeds: { type: "string", default: "1,2,3,4" },
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

const keyOf = ({ base, set, rows, method, held, seed, settings }) =>
  JSON.stringify([base, set, rows, method, held, seed, settings]);

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
  await train(
    listed(values.rows).flatMap((rows) =>
      listed(values.sets).flatMap((set) =>
        listed(values.methods).map((method) => ({
          set,
          rows: Number(rows),
          method,
          held: Number(values.held),
          seed: 0,
          options: [{}, ...sweepOf(method, Number(rows))],
        })),
      ),
    ),
  );
}

/** What is off by more than 2 points, with other rows and seeds. */
async function again() {
  const far = cells(await records()).filter(({ first }) => first.off > near);
  await train(
    far.flatMap(({ about: { set, rows, method, held }, best }) =>
      listed(values.seeds).map((seed) => {
        const { pooling: _, schedule: __, ...settings } = best.settings;
        return { set, rows, method, held, seed: Number(seed), options: [{}, settings] };
      }),
    ),
  );
}

/** Every training of a list that has no record yet. */
async function train(list) {
  const done = new Set((await records()).map(keyOf));
  const base = await openBase(values.base, { threads: Number(values.threads), offline: true });
  for (const { options, ...about } of list) {
    const { train: rows, test } = await drawn(about.set, about.rows, about.held, about.seed);
    const data = await openData({ train: rows, test }, base);
    for (const chosen of options) {
      const record = await trained(base, { about, data, options: chosen, done });
      if (record) await appendFile(values.out, `${JSON.stringify(record)}\n`);
      if (record) done.add(keyOf(record));
    }
  }
  await base.close();
}

/** A training's record; undefined where there is one already. */
async function trained(base, { about: { set, rows, method, held, seed }, data, options, done }) {
  const model = await adaptTo(base, known.find(({ name }) => name === method).use({}), data, { seed });
  // packing changes roundings alone and saves a tenth of the time
  const prepared = await prepareTraining(model, { train: data.train }, { prepack: true, seed, ...options });
  const about = { base: basename(values.base), set, rows, method, held, seed };
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
  console.error(
    set,
    rows,
    method,
    `seed ${seed}`,
    JSON.stringify(settings),
    accuracy.toFixed(3),
    `${seconds.toFixed(0)} s`,
  );
  return result;
}

/** Where two thirds of the rows have one label, accuracy pays for always giving it. */
const measureOf = ({ majority }) => (majority > 2 / 3 ? "f1_macro" : "accuracy");

function groupBy(list, keyOfEach) {
  const groups = new Map();
  for (const each of list) groups.set(keyOfEach(each), [...(groups.get(keyOfEach(each)) ?? []), each]);
  return groups;
}

/** What a choice may be off the best. */
const near = 0.02 + 1e-9;

/**
 * For each set, size and method: what the present choice gives, the best of all that was tried, whether any of it says
 * more than the most frequent label, and how far the choice is off, by the first run and by those with other seeds.
 */
function cells(all) {
  const groups = groupBy(all, ({ base, rows, method, set, held }) => JSON.stringify([base, rows, method, set, held]));
  const list = [...groups.values()].map((group) => {
    const first = group.filter(({ seed }) => seed === 0);
    const [{ base, rows, method, set, held, majority }] = first;
    const measure = measureOf({ majority });
    const best = first.reduce((a, b) => (b[measure] > a[measure] ? b : a));
    const chosen = first.findLast((record) => record.chosen);
    const others = [...groupBy(group, ({ seed }) => seed)].flatMap(([seed, tried]) => {
      const isBest = ({ settings }) => JSON.stringify(settings) === JSON.stringify(best.settings);
      const [mine, theirs] = [tried.findLast((record) => record.chosen), tried.find(isBest)];
      return seed !== 0 && mine && theirs ? [theirs[measure] - mine[measure]] : [];
    });
    return {
      about: { base, rows, method, set, held },
      measure,
      best,
      tried: first.length,
      learns: first.some(({ accuracy }) => accuracy > majority),
      first: { chosen: chosen?.[measure], best: best[measure], off: best[measure] - (chosen?.[measure] ?? Number.NaN) },
      others,
    };
  });
  const orderOf = ({ about: { base, method, set } }) => `${base} ${method} ${set}`;
  return list.sort((a, b) => a.about.rows - b.about.rows || (orderOf(a) < orderOf(b) ? -1 : 1));
}

const meanOf = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

async function table() {
  const all = cells(await records());
  const judged = all.filter(({ learns }) => learns);
  const isNear = ({ first, others }) => (others.length > 0 ? meanOf(others) : first.off) <= near;
  console.log("# What `petl train` chooses, beside the best of a small sweep\n");
  console.log(
    "Written by `node bench/defaults.mjs table` from [defaults.jsonl](defaults.jsonl): per cent on held rows, which",
  );
  console.log(
    "choose the best as well, so that some of what it is better by is chance. What was off by more than 2 points was",
  );
  console.log(
    "trained again beside that best with other rows and seeds (`again`: the mean of what the best is better by, and",
  );
  console.log("how many seeds): those decide.\n");
  console.log(`Within 2 points of the best: ${judged.filter(isNear).length} of ${judged.length}.`);
  if (all.length > judged.length)
    console.log(
      `In ${all.length - judged.length} more nothing is learnt: no setting of the sweep gives the right label as often as the most frequent label does (marked *).`,
    );
  console.log("");
  const row = (entries) => console.log(`| ${entries.join(" | ")} |`);
  const head = [
    "base",
    "rows",
    "method",
    "set",
    "measure",
    "chosen",
    "best",
    "off",
    "again",
    "best rate, epochs",
    "tried",
  ];
  row(head);
  row(head.map(() => "---"));
  for (const { about, measure, best, tried, learns, first, others } of all)
    row([
      ...[about.base, about.rows, about.method, `${about.set}${learns ? "" : "*"}`, measure],
      ...[first.chosen, first.best, first.off].map(percent),
      others.length > 0 ? `${percent(meanOf(others))} (${others.length})` : "",
      ...[`${best.settings.lr}, ${best.settings.epochs}`, tried],
    ]);
}

const percent = (share) => (Number.isFinite(share) ? (100 * share).toFixed(1) : "–");

const commands = { run, again, table };
const command = commands[positionals[0] ?? "run"];
if (!command) throw new Error(`"${positionals[0]}" is none of ${Object.keys(commands).join(", ")}`);
await command();
