// How fast rows are read and become tokens.
//   node bench/reading.mjs tokens --python PYTHON [--rows 52000] [--rounds 3]   beside the tokenizers library on one thread
//   node bench/reading.mjs start [--rows 900000] [--base NAME] [--as csv|json] a file of 200 MB until the first step is over
// The rows are made up, the same every time, and lie in a temporary folder. Appends a record to results/reading.jsonl.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { median, runToEnd, surroundings } from "./halves.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string", default: "python3" },
    rows: { type: "string" },
    rounds: { type: "string", default: "3" },
    base: { type: "string", default: "petl-mini-encoder" },
    as: { type: "string", default: "csv" },
    out: { type: "string", default: "results/reading.jsonl" },
  },
});
const folder = await mkdtemp(join(tmpdir(), "petl-reading-"));
try {
  const record = await (positionals[0] === "start" ? start() : tokens());
  await appendFile(values.out, `${JSON.stringify({ ...record, ...surroundings() })}\n`);
  console.log(JSON.stringify(record, null, 2));
} finally {
  await rm(folder, { recursive: true });
}

/** Both halves make the same texts tokens, a process each, in turn; seconds of the processor. */
async function tokens() {
  const count = Number(values.rows ?? 52_000);
  const path = join(folder, "rows.jsonl");
  await write(path, count, (row, text) => `${JSON.stringify({ text: `${text(14)} ${text(40)} ${row}` })}\n`);
  const tokenizers = [];
  for (const name of ["petl-mini-decoder", "petl-mini-encoder"]) {
    const model = resolve("models", name);
    const petl = [];
    const python = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      petl.push(await runToEnd(process.execPath, ["bench/petl-tokens.mjs", model, path]));
      python.push(await runToEnd(values.python, ["bench/python/tokens.py", model, path]));
    }
    if (petl[0].tokens !== python[0].tokens) throw new Error(`${petl[0].tokens} tokens, and ${python[0].tokens}`);
    const [own, theirs] = [petl, python].map((runs) => median(runs.map(({ seconds }) => seconds)));
    tokenizers.push({
      name,
      tokens: petl[0].tokens,
      petl_seconds: own,
      tokenizers_seconds: theirs,
      ratio: own / theirs,
    });
  }
  return { benchmark: "reading tokens", date: today(), rows: count, rounds: Number(values.rounds), tokenizers };
}

/** From the process's start until its first step is over, and its peak memory until then. */
async function start() {
  const count = Number(values.rows ?? 900_000);
  const [path, out] = [join(folder, `rows.${values.as}`), join(folder, "run")];
  const label = (row) => (row % 3 ? "pos" : "neg");
  const csv = (row, text) => `${row},"${text(36)}, ${row}",${label(row)}\n`;
  const json = (row, text) =>
    `${row === 0 ? "[" : ",\n"}${JSON.stringify({ id: row, text: `${text(36)}, ${row}`, label: label(row) })}`;
  const isJson = values.as === "json";
  const bytes = await write(path, count, isJson ? json : csv, isJson ? ["", "]\n"] : ["id,text,label\n", ""]);
  const flags = ["--base", values.base, "--data", path, "--method", "lora", "--steps", "100000", "--out", out];
  const began = performance.now();
  const child = spawn(process.execPath, ["packages/petl/bin/petl.js", "train", ...flags], { stdio: "ignore" });
  const ended = once(child, "close");
  while (child.exitCode === null && !(await readFile(join(out, "metrics.jsonl"), "utf8").catch(() => "")))
    await pause(50);
  const seconds = (performance.now() - began) / 1000;
  const [status, stat] = await Promise.all(
    ["status", "stat"].map((name) => readFile(`/proc/${child.pid}/${name}`, "utf8")),
  );
  const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(stat) ?? [];
  const interrupted = performance.now();
  child.kill("SIGINT");
  await ended;
  return {
    benchmark: "reading start",
    date: today(),
    base: values.base,
    file: values.as,
    rows: count,
    bytes,
    seconds,
    processor_seconds: (Number(user) + Number(system)) / 100,
    peak_rss_bytes: 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]),
    interrupted_seconds: (performance.now() - interrupted) / 1000,
  };
}

function today() {
  return new Date().toISOString().slice(0, 10);
}

/** Rows of words that come as often as words do: few of them often, many of them hardly ever. */
async function write(path, count, line, [head, foot] = ["", ""]) {
  const next = numbers(7);
  const letters = "etaoinshrdlucmfwypvbgk";
  const word = () =>
    Array.from({ length: 2 + Math.floor(next() * 8) }, () => letters[Math.floor(next() ** 1.6 * 22)]).join("");
  const words = Array.from({ length: 30_000 }, word);
  const text = (length) => Array.from({ length }, () => words[Math.floor(next() ** 4 * words.length)]).join(" ");
  const file = createWriteStream(path);
  file.write(head);
  for (let row = 0; row < count; row++) if (!file.write(line(row, text))) await once(file, "drain");
  file.end(foot);
  await once(file, "close");
  return file.bytesWritten;
}

/** The same numbers in [0, 1) every time. */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}
