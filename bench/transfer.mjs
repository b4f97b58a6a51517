// What pretraining is good for: a base fine-tuned on real sets beside the same architecture from random weights, with
// the same rows, steps and seeds.
//   node bench/transfer.mjs --base FOLDER [--sets sst2,subj,emotion] [--methods full,lora] [--seeds 0,1,2] [--rows 300]
// Appends records to results/transfer.jsonl.
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { random, safetensorsBytes, untrainedTensors } from "@petl/core";
import { runToEnd } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string" },
    sets: { type: "string", default: "sst2,subj,emotion" },
    methods: { type: "string", default: "full,lora" },
    seeds: { type: "string", default: "0,1,2" },
    rows: { type: "string", default: "300" },
    epochs: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
  },
});
const data = "../shared/data/classification";
const held = 800;
const flags = {
  full: ["--method", "full", "--lr", "3e-4"],
  lora: ["--method", "lora", "--rank", "8", "--targets", "all-linear", "--lr", "1e-3"],
};

/** Each set's rows to draw from, and those to measure on; the latter are parted from the former where the set has none. */
const sets = {
  sst2: async () => ({ train: await tabbed("glue-sst2/train.tsv"), test: await tabbed("glue-sst2/dev.tsv") }),
  subj: async () => ({ train: await lines("subj/subj.all", /^(?<label>\d) (?<text>.*)$/), test: undefined }),
  emotion: async () => ({
    train: await lines("emotion/train.txt", /^(?<text>.*);(?<label>\w+)$/, 1),
    test: await lines("emotion/test.txt", /^(?<text>.*);(?<label>\w+)$/, 1),
  }),
};

async function lines(file, form, header = 0) {
  const all = (await readFile(join(data, file), "latin1")).split("\n").slice(header);
  return all.flatMap((line) => {
    const { groups } = form.exec(line) ?? {};
    return groups ? [{ ...groups }] : [];
  });
}
const tabbed = (file) => lines(file, /^(?<text>[^\t]*)\t(?<label>\d)$/, 1);

const folder = await mkdtemp(join(tmpdir(), "petl-transfer-"));
try {
  const bases = { pretrained: values.base, random: await untrained(join(folder, "random")) };
  for (const set of values.sets.split(",")) {
    for (const seed of values.seeds.split(",").map(Number)) {
      const path = await draw(set, seed);
      for (const method of values.methods.split(",")) {
        const accuracies = {};
        for (const [name, base] of Object.entries(bases)) accuracies[name] = await accuracy(base, method, path, seed);
        const record = {
          benchmark: "transfer",
          date: new Date().toISOString().slice(0, 10),
          base: basename(values.base),
          set,
          method,
          seed,
          rows: Number(values.rows),
          epochs: Number(values.epochs),
          held,
          ...accuracies,
        };
        console.log(JSON.stringify(record));
        await appendFile("results/transfer.jsonl", `${JSON.stringify(record)}\n`);
      }
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The base's own architecture and tokenizer, with weights as they are before any training. */
async function untrained(path) {
  await cp(values.base, path, { recursive: true, dereference: true }); // a link would lead the writing below into the base
  const config = JSON.parse(await readFile(join(path, "config.json"), "utf8"));
  const tensors = await untrainedTensors(config, { head: "masked-lm", pooler: true }, 0);
  await writeFile(join(path, "model.safetensors"), safetensorsBytes(tensors));
  return path;
}

/** Rows drawn by the seed: train.jsonl and dev.jsonl in a folder. */
async function draw(set, seed) {
  const { train, test } = await sets[set]();
  const shuffled = random(seed, `rows of ${set}`).shuffle(train);
  const rows = Number(values.rows);
  const measured = test ? random(seed, `held-out rows of ${set}`).shuffle(test) : shuffled.slice(rows);
  const path = join(folder, `${set}-${seed}`);
  await mkdir(path, { recursive: true });
  const write = (name, chosen) =>
    writeFile(join(path, name), `${chosen.map((row) => JSON.stringify(row)).join("\n")}\n`);
  await write("train.jsonl", shuffled.slice(0, rows));
  await write("dev.jsonl", measured.slice(0, held));
  return path;
}

async function accuracy(base, method, path, seed) {
  const run = await runToEnd(process.execPath, [
    ...["packages/petl/bin/petl.js", "train", "--base", base, "--data", path, ...flags[method]],
    ...["--epochs", values.epochs, "--batch", "16", "--warmup", "0.1", "--seed", String(seed)],
    ...["--threads", values.threads, "--checkpoint-every", "0", "--out", join(folder, "out"), "--overwrite", "--json"],
  ]);
  return run.evaluation.accuracy;
}
