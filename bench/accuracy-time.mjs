// Time to accuracy: `petl train --recipe fast` beside Trainer + PEFT (dynamic padding, rows of similar length together,
// scaled-dot-product attention), whole processes in turn, on the same rows to train on and the same held rows.
//   node bench/accuracy-time.mjs run --python PYTHON [--sets sst2,…] [--rows 3000] [--seeds 0,1,2] [--rates 2e-3] [--epochs 3]
//   node bench/accuracy-time.mjs table
// Each process is a line of results/accuracy-time.jsonl; what is there already is not run again, so that a campaign goes on
// where it stopped. Seconds are those from the process's start to the end of training; evaluation is not in them.
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { shareRight } from "@petl/core";
import { drawn } from "./defaults-rows.mjs";
import { childrenSeconds, median, runToEnd, surroundings } from "./halves.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string" },
    base: { type: "string", default: "../shared/data/checkpoints/all-minilm-l6-v2" },
    sets: { type: "string", default: "sst2,subj,clinc_intents,ag_news,emotion" },
    rows: { type: "string", default: "3000" },
    held: { type: "string", default: "1000" },
    seeds: { type: "string", default: "0,1,2" },
    rates: { type: "string", default: "2e-3" },
    epochs: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    out: { type: "string", default: "results/accuracy-time.jsonl" },
  },
});
const listed = (text) => text.split(",");
const [rows, held] = [Number(values.rows), Number(values.held)];

const records = async () =>
  (await readFile(values.out, "utf8").catch(() => ""))
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

const keyOf = (record) =>
  JSON.stringify(["half", "set", "rows", "held", "seed", "lr", "epochs", "threads"].map((field) => record[field]));

/** The halves of one comparison: petl's recipe, and PEFT at each rate that is tried. */
const halves = () => [
  { half: "petl" },
  ...(values.python ? listed(values.rates).map((lr) => ({ half: "peft", lr, epochs: values.epochs })) : []),
];

async function run() {
  const done = new Set((await records()).map(keyOf));
  for (const seed of listed(values.seeds)) {
    for (const set of listed(values.sets)) {
      for (const half of halves()) {
        const asked = { ...half, set, rows, held, seed, threads: values.threads };
        if (done.has(keyOf(asked))) continue;
        const found = await measured(asked);
        const record = { benchmark: "accuracy-time", date: new Date().toISOString().slice(0, 10), ...asked, ...found };
        await appendFile(values.out, `${JSON.stringify({ ...record, ...surroundings() })}\n`);
        console.log(set, half.half, seed, found.accuracy, found.seconds);
      }
    }
  }
}

async function measured({ half, set, seed, lr, epochs, threads }) {
  const folder = await mkdtemp(join(tmpdir(), "petl-accuracy-time-"));
  try {
    const { train, test } = await drawn(set, rows, held);
    const [trainFile, testFile] = ["train", "test"].map((name) => join(folder, `${name}.jsonl`));
    for (const [file, list] of /** @type {const} */ ([
      [trainFile, train],
      [testFile, test],
    ]))
      await writeFile(file, list.map(({ text, label }) => `${JSON.stringify({ text, label })}\n`).join(""));
    const shared = ["--base", values.base, "--seed", seed, "--threads", threads];
    if (half === "petl") return await recipe(folder, trainFile, testFile, shared);
    const script = fileURLToPath(new URL("python/accuracy_time.py", import.meta.url));
    const own = ["--train", trainFile, "--test", testFile, "--lr", lr, "--epochs", epochs];
    return await runToEnd(values.python, [script, ...shared, ...own]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The time of the whole process that trains, and what another one finds on the held rows. */
async function recipe(folder, train, test, shared) {
  const bin = fileURLToPath(new URL("../packages/petl/bin/petl.js", import.meta.url));
  const out = join(folder, "adapter");
  const [begin, before] = [performance.now(), await childrenSeconds()];
  const trained = await runToEnd(process.execPath, [
    ...[bin, "train", ...shared, "--data", train, "--validation", "0"],
    ...["--recipe", "fast", "--out", out, "--json"],
  ]);
  const seconds = (performance.now() - begin) / 1000;
  const cpu_seconds = (await childrenSeconds()) - before;
  const asked = ["evaluate", ...shared.slice(0, 2), "--adapter", out, "--data", test, "--json"];
  const { accuracy } = await runToEnd(process.execPath, [bin, ...asked]);
  return { accuracy, seconds, cpu_seconds, peak_rss_bytes: trained.peak_rss_bytes, steps: trained.steps };
}

async function table() {
  const groups = grouped(await records(), (record) => `${record.set}, ${record.rows} rows`);
  const lines = [...groups].map(([name, all]) => {
    const own = all.filter(({ half }) => half === "petl");
    const tried = grouped(
      all.filter(({ half }) => half === "peft"),
      ({ lr, epochs }) => `${lr}, ${epochs} epochs`,
    );
    const [best] = [...tried].sort(([, one], [, other]) => meanOf(other) - meanOf(one));
    if (!best || own.length === 0) return { set: name };
    const [how, theirs] = best;
    const ratio = (of) => (median(own.map(of)) / median(theirs.map(of))).toFixed(2);
    return {
      set: name,
      petl: shown(own),
      "PEFT at its best": shown(theirs),
      how,
      "seconds, petl": median(own.map(secondsOf)).toFixed(1),
      ratio: ratio(secondsOf),
      "of its memory": ratio(({ peak_rss_bytes }) => peak_rss_bytes),
    };
  });
  console.table(lines);
}

function grouped(list, groupOf) {
  const groups = new Map();
  for (const each of list) groups.set(groupOf(each), [...(groups.get(groupOf(each)) ?? []), each]);
  return groups;
}

const secondsOf = ({ seconds }) => seconds;
const meanOf = (list) => list.reduce((sum, { accuracy }) => sum + accuracy, 0) / list.length;

/** The mean over the seeds, with the interval of as many held rows as they share. */
function shown(list) {
  const [first] = list;
  if (!first) return undefined;
  const hits = Math.round(meanOf(list) * first.held);
  const { low, high } = shareRight([Array.from({ length: first.held }, (_, row) => row < hits)]);
  const percent = (share) => (100 * share).toFixed(1);
  return `${percent(meanOf(list))} (${percent(low)} to ${percent(high)}), ${list.length} seeds`;
}

await (positionals[0] === "table" ? table() : run());
