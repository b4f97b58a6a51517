// From the start of a `petl train` process until its first step is over: LoRA on 16 of 2,000 rows, with all-MiniLM-L6-v2 and with
// random weights of BERT-base's shape behind the same tokenizer. Processes in turn; with --beside another checkout's take turns too.
//   node bench/start.mjs [--base FOLDER] [--data FILE] [--rounds 20] [--beside CHECKOUT]
// Appends a record for each base to results/start.jsonl.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { median, surroundings } from "./halves.mjs";
import { bertBase, writeRandomBase } from "./random-base.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string", default: "../shared/data/checkpoints/all-minilm-l6-v2" },
    data: { type: "string", default: "../shared/data/classification/glue-sst2/train.tsv" },
    rounds: { type: "string", default: "20" },
    beside: { type: "string" },
    out: { type: "string", default: "results/start.jsonl" },
  },
});
const rows = 2000;
const folder = await mkdtemp(join(tmpdir(), "petl-start-"));
try {
  const lines = (await readFile(values.data, "utf8")).split("\n").slice(0, rows + 1);
  const data = join(folder, "train.tsv");
  await writeFile(data, `${lines.join("\n")}\n`);
  const wide = join(folder, "bert-base-shape");
  await writeRandomBase(wide, bertBase, 32, { task: "classification", labels: 2 });
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    await copyFile(join(values.base, name), join(wide, name));
  for (const base of [values.base, wide]) {
    const own = await takeTurns(base, data);
    await appendFile(values.out, `${JSON.stringify(own)}\n`);
    console.log(JSON.stringify(own, null, 2));
  }
} finally {
  await rm(folder, { recursive: true });
}

/** Medians of both clocks; the first round, which finds files cold, is not counted. */
async function takeTurns(base, data) {
  const checkouts = [".", ...(values.beside === undefined ? [] : [values.beside])];
  const taken = checkouts.map(() => []);
  for (let round = 0; round <= Number(values.rounds); round++)
    for (const [at, checkout] of checkouts.entries()) taken[at].push(await start(checkout, base, data));
  const middle = (at, clock) => median(taken[at].slice(1).map((each) => each[clock]));
  return {
    benchmark: "start",
    date: new Date().toISOString().slice(0, 10),
    base: basename(base),
    rows,
    rounds: Number(values.rounds),
    seconds: middle(0, "wall"),
    processor_seconds: middle(0, "processor"),
    quickest_seconds: Math.min(...taken[0].slice(1).map(({ wall }) => wall)),
    ...(values.beside !== undefined && {
      beside_seconds: middle(1, "wall"),
      beside_processor_seconds: middle(1, "processor"),
      beside_quickest_seconds: Math.min(...taken[1].slice(1).map(({ wall }) => wall)),
    }),
    ...surroundings(),
  };
}

/** Seconds of a process until metrics.jsonl has a line, and of them those of the processor. */
async function start(checkout, base, data) {
  const out = join(folder, "run");
  const flags = ["--base", base, "--data", data, "--text", "sentence", "--label", "label", "--method", "lora"];
  const more = ["--steps", "1000", "--log-every", "1", "--batch", "16", "--validation", "0", "--out", out];
  const began = performance.now();
  const child = spawn(process.execPath, [resolve(checkout, "packages/petl/bin/petl.js"), "train", ...flags, ...more], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let told = "";
  child.stderr.on("data", (chunk) => {
    told += chunk;
  });
  const ended = once(child, "close");
  while (!(await readFile(join(out, "metrics.jsonl"), "utf8").catch(() => ""))) {
    if (child.exitCode !== null) throw new Error(told);
    await pause(2);
  }
  const wall = (performance.now() - began) / 1000;
  const stat = await readFile(`/proc/${child.pid}/stat`, "utf8");
  const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(stat) ?? [];
  child.kill("SIGKILL");
  await ended;
  await rm(out, { recursive: true });
  return { wall, processor: (Number(user) + Number(system)) / 100 };
}
