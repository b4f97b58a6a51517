// What the bundled sets ask of a reader: logistic regression on word counts beside adapters on a base, the same rows.
//   node bench/bag-of-words.mjs --base FOLDER [--sets messages,users/midwife] [--methods head,lora] [--seeds 0,1,2]
// Regularization and features of the word counts are chosen on the validation rows; users have none, a quarter of their
// training rows stands in. Appends records to results/bag-of-words.jsonl; each has the test rows' accuracy.
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { readExamples, readTable } from "@petl/core";
import { runToEnd } from "./halves.mjs";
import { learnClassifier, learnFeatures } from "./word-counts.mjs";

const data = "packages/petl/data";
const recipes = {
  head: ["--method", "head", "--lr", "1e-2"],
  bitfit: ["--method", "bitfit", "--lr", "1e-2"],
  lora: ["--method", "lora", "--rank", "8", "--targets", "all-linear", "--lr", "1e-3"],
  full: ["--method", "full", "--lr", "2e-4"],
};
const { values } = parseArgs({
  options: {
    base: { type: "string" },
    sets: { type: "string", default: "messages,reviews,questions,users/midwife,users/cellist" },
    methods: { type: "string", default: "head,lora" },
    seeds: { type: "string", default: "0,1,2" },
    epochs: { type: "string", default: "8" },
  },
});
const listed = (text) => text.split(",").filter((name) => name !== "");
const folder = await mkdtemp(join(tmpdir(), "petl-bench-"));
try {
  for (const set of listed(values.sets)) {
    await append(await wordCounts(set));
    for (const method of listed(values.methods))
      for (const seed of listed(values.seeds).map(Number)) await append(await adapter(set, method, seed));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function append(result) {
  const record = { benchmark: "bag-of-words", date: new Date().toISOString().slice(0, 10), ...result };
  console.log(JSON.stringify(record));
  await appendFile("results/bag-of-words.jsonl", `${JSON.stringify(record)}\n`);
}

function isUser(set) {
  return set.startsWith("users/");
}

async function rowsOf(set, split) {
  const path = join(data, set, `${split}.csv`);
  return readExamples(await readTable(path, await readFile(path))).examples;
}

async function wordCounts(set) {
  const all = await rowsOf(set, "train");
  const cut = Math.ceil(0.75 * all.length);
  const [train, validation] = isUser(set)
    ? [all.slice(0, cut), all.slice(cut)]
    : [all, await rowsOf(set, "validation")];
  const test = await rowsOf(set, "test");
  const tried = ["tf-idf", "tf"].flatMap((features) =>
    [1, 10, 100].map((C) => {
      const choice = { features, C };
      const reader = learn(train, choice);
      const final = isUser(set) ? learn(all, choice) : reader;
      return { ...choice, validation: accuracy(reader, validation), accuracy: accuracy(final, test) };
    }),
  );
  const chosen = tried.reduce((best, one) => (one.validation > best.validation ? one : best));
  const bestOnTest = Math.max(...tried.map((one) => one.accuracy));
  return { set, method: "bag-of-words", ...chosen, best_on_test: bestOnTest, examples: test.length };
}

/** The reader of words alone that `train` makes: from text to label. */
function learn(train, { features, C }) {
  const labels = [...new Set(train.map(({ label }) => label))];
  const { width, rowOf } = learnFeatures(
    train.map(({ text }) => text),
    features,
  );
  const classify = learnClassifier(
    train.map(({ text }) => rowOf(text)),
    train.map(({ label }) => labels.indexOf(label)),
    { width, classes: labels.length, C },
  );
  return (text) => labels[classify(rowOf(text))];
}

function accuracy(reader, rows) {
  return rows.filter(({ text, label }) => reader(text) === label).length / rows.length;
}

async function adapter(set, method, seed) {
  const out = join(folder, "out");
  const petl = (verb, args) => runToEnd(process.execPath, ["packages/petl/bin/petl.js", verb, ...args, "--json"]);
  const from = isUser(set)
    ? ["--data", join(data, set, "train.csv"), "--validation", "0.25"]
    : ["--data", join(data, set)];
  const trained = await petl("train", [
    ...["--base", values.base, ...from, ...recipes[method], "--epochs", values.epochs, "--batch", "16"],
    ...["--warmup", "0.1", "--seed", String(seed), "--checkpoint-every", "0", "--out", out, "--overwrite"],
  ]);
  const tested = await petl("evaluate", [
    ...["--base", values.base, "--adapter", out, "--data", join(data, set, "test.csv")],
  ]);
  const settings = { flags: recipes[method].join(" "), epochs: Number(values.epochs), seed };
  const measured = { validation: trained.evaluation.accuracy, accuracy: tested.accuracy, examples: tested.examples };
  return { set, base: basename(values.base), method, ...settings, ...measured, seconds: trained.seconds };
}
