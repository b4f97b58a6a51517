// What an adapter makes of a small decoder on E2E (Novikova et al. 2017, arXiv:1706.09254): LoRA on the development
// set, texts for meaning representations of the test set, corpus BLEU by all their references, frozen base beside adapted.
//   node bench/e2e.mjs [--base FOLDER] [--steps 5840] [--prompts 630] [--decoding greedy,paper] [--seed 0] [--adapter FOLDER]
// Decoding "paper" is that of the LoRA paper (Hu et al. 2021, arXiv:2106.09685, table 11): 10 beams, length penalty
// 0.9, no repeated 4-grams, which its beam search counts among the new tokens alone. Texts end after 96 tokens: one
// in 700 references is longer, by this tokenizer. BLEU is without regard to case, as E2E's own scorer has it. The
// adapter is written to --adapter; one that is there already, made with the same flags, is taken as it is. The frozen
// base is scored by greedy texts alone: its beams would not end, and take half of the time. Appends a record for each
// decoding to results/e2e.jsonl. With --pilot, to choose a recipe by, every ninth meaning of the development set
// stands for the test set, the rest is trained on, and records are only printed.
import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { random } from "@petl/core";
import { e2e, partsOfDevelopment, rowsOf, written } from "./e2e-rows.mjs";
import { runToEnd, surroundings } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string", default: "models/petl-mini-decoder" },
    steps: { type: "string", default: "5840" }, // five epochs
    batch: { type: "string", default: "4" },
    rank: { type: "string", default: "16" },
    lr: { type: "string", default: "3e-3" },
    adapter: { type: "string" },
    pilot: { type: "boolean", default: false },
    prompts: { type: "string", default: "630" },
    decoding: { type: "string", default: "greedy,paper" },
    seed: { type: "string", default: "0" },
    threads: { type: "string", default: "2" },
  },
});
const decodings = {
  greedy: [],
  paper: ["--beams", "10", "--length-penalty", "0.9", "--no-repeat-ngram-size", "4", "--repetition-ignores-prompt"],
};

const folder = await mkdtemp(join(tmpdir(), "petl-e2e-"));
try {
  const adapter = values.adapter ?? join(folder, "adapter");
  const sets = await (values.pilot ? pilotSets() : ownSets());
  if (!existsSync(adapter)) await trainOn(sets.train, adapter);
  const { trained_parameters, trainable_ratio } = await petl("inspect", adapter, "--base", values.base);
  const { step: steps, seconds } = await lastStep(adapter);
  const { path, prompts, rows } = await drawnPrompts(sets.test);
  for (const decoding of values.decoding.split(",")) {
    const record = {
      benchmark: "e2e",
      date: new Date().toISOString().slice(0, 10),
      base: basename(values.base),
      method: "lora",
      rank: Number(values.rank),
      lr: Number(values.lr),
      batch: Number(values.batch),
      seed: Number(values.seed),
      trained_parameters,
      trainable_ratio,
      steps,
      train_seconds: seconds,
      decoding,
      prompts,
      rows,
      ...(decoding === "greedy" && { frozen: await scores(decoding, path) }),
      adapted: await scores(decoding, path, "--adapter", adapter),
      threads: Number(values.threads),
      ...surroundings(),
    };
    console.log(JSON.stringify(record));
    if (!values.pilot) await appendFile("results/e2e.jsonl", `${JSON.stringify(record)}\n`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function petl(...args) {
  return runToEnd(process.execPath, ["packages/petl/bin/petl.js", ...args, "--json"]);
}

/** Where the rows lie that are trained on, and the rows whose meanings are to be said. */
async function ownSets() {
  return { train: join(e2e, "devset.csv"), test: await rowsOf("testset_w_refs.csv") };
}

async function pilotSets() {
  const { train, held } = await partsOfDevelopment();
  return { train: await written(join(folder, "train.jsonl"), train), test: held };
}

function trainOn(rows, out) {
  return petl(
    ...["train", "--base", values.base, "--data", rows, "--method", "lora", "--out", out],
    ...["--rank", values.rank, "--alpha", String(2 * Number(values.rank)), "--targets", "all-linear"],
    ...["--steps", values.steps, "--batch", values.batch, "--lr", values.lr],
    ...["--schedule", "linear", "--warmup", "0.06", "--label-smoothing", "0.1"],
    ...["--weight-decay", "0.01", "--clip", "1", "--seed", values.seed, "--threads", values.threads],
  );
}

/** The last line of a run's metrics that is of a step. */
async function lastStep(out) {
  const lines = (await readFile(join(out, "metrics.jsonl"), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line)).findLast(({ loss }) => loss !== undefined);
}

/** Some meanings, drawn once for all, with the rows that say them. */
async function drawnPrompts(all) {
  const meanings = [...new Set(all.map(({ mr }) => mr))];
  const chosen = new Set(random(0, "prompts of E2E").shuffle(meanings).slice(0, Number(values.prompts)));
  const rows = all.filter(({ mr }) => chosen.has(mr));
  return { path: await written(join(folder, "test.jsonl"), rows), prompts: chosen.size, rows: rows.length };
}

async function scores(decoding, path, ...adapter) {
  const { loss, perplexity, bleu, rouge_l } = await petl(
    ...["evaluate", "--base", values.base, ...adapter, "--data", path, "--task", "causal-lm", "--generate"],
    ...["--lowercase", "--max-tokens", "96", ...decodings[decoding], "--threads", values.threads],
  );
  return { loss, perplexity, bleu, rouge_l };
}
