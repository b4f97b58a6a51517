// Feeds parsers with damaged files that were whole ones: each must answer with a value or an InputError, at once.
//   node scripts/fuzz.mjs [--count 20000] [--seed 0] [PARSER …]        after npm run build
// Prints a line for each parser, and for each fault the number of its mutation; exits with 1 where there is one.
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { core, parsers, text } from "./parsers.mjs";

/** Numbers below a bound, the same for the same seed (Mulberry32). */
function numbers(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

const odd = [
  null,
  true,
  -1,
  0,
  1,
  3,
  7,
  1e9,
  2 ** 53,
  1e308,
  -1e-9,
  0.5,
  "",
  "a",
  "x".repeat(5000),
  "(a+)+b",
  [],
  {},
  [[]],
  { type: "Sequence" },
  [1, 2, 3],
];

/** A JSON value with something in it changed, left out or put twice. */
function damagedValue(value, below) {
  const holders = [];
  const visit = (each) => {
    if (typeof each !== "object" || each === null) return;
    if (Object.keys(each).length > 0) holders.push(each);
    for (const inner of Object.values(each)) if (holders.length < 5000) visit(inner);
  };
  visit(value);
  for (let left = 1 + below(3); left > 0 && holders.length > 0; left--) {
    const holder = holders[below(Math.min(holders.length, below(2) ? 20 : holders.length))];
    const keys = Object.keys(holder);
    const key = keys[below(keys.length)];
    const kind = below(6);
    if (kind === 0) delete holder[key];
    else if (kind === 1) holder[key] = holder[keys[below(keys.length)]];
    else holder[key] = odd[below(odd.length)];
  }
  return JSON.stringify(value);
}

function damaged(seed, below, json) {
  if (json && below(4) > 0) return new TextEncoder().encode(damagedValue(JSON.parse(text(seed)), below));
  let bytes = [...seed];
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(bytes.length + 1);
    const kind = below(6);
    if (kind === 0) bytes[at] = below(256);
    else if (kind === 1) bytes.splice(at, 1 + below(8));
    else if (kind === 2) bytes.splice(at, 0, ...Array.from({ length: 1 + below(8) }, () => below(256)));
    else if (kind === 3) bytes = bytes.slice(0, at);
    else if (kind === 4) bytes.splice(at, 0, ...bytes.slice(at, at + below(60)));
    else bytes[at] = [0, 255, 127, 128, 1][below(5)];
  }
  return Uint8Array.from(bytes);
}

async function feed({ name, count, seed }) {
  const { InputError } = await core("errors");
  const { seeds, read, json = false } = parsers[name];
  const whole = (await seeds()).filter(({ length }) => length < 200_000);
  for (const file of whole) await attempt(file, -1);
  for (let number = 0; number < count; number++) {
    if (number % 20 === 0) parentPort.postMessage({ number });
    const below = numbers(seed * 1_000_003 + number);
    await attempt(damaged(whole[below(whole.length)], below, json), number);
  }
  parentPort.postMessage({ done: true });

  async function attempt(file, number) {
    const start = process.cpuUsage().user;
    try {
      await read(file);
    } catch (error) {
      if (!(error instanceof InputError)) parentPort.postMessage({ fault: `${number}: ${error?.stack ?? error}` });
    }
    const seconds = (process.cpuUsage().user - start) / 1e6;
    if (seconds > 2 + file.length / 1e6) parentPort.postMessage({ fault: `${number}: took ${seconds.toFixed(1)} s` });
  }
}

/** Runs a parser in a thread of its own, which is ended where it falls silent. */
function watched(name, count, seed) {
  return new Promise((resolve) => {
    const faults = [];
    let last = 0;
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { name, count, seed },
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
    });
    let timer;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => end(`no answer for a minute behind mutation ${last}`), 60_000);
    };
    const end = (fault) => {
      clearTimeout(timer);
      if (fault) faults.push(fault);
      worker.terminate().then(() => resolve(faults));
    };
    alive();
    worker.on("error", (error) => end(`ended behind mutation ${last}: ${error.stack}`));
    worker.on("message", ({ number, fault, done }) => {
      alive();
      if (number !== undefined) last = number;
      if (fault && faults.push(fault) >= 20) end();
      if (done) end();
    });
  });
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { count: { type: "string", default: "20000" }, seed: { type: "string", default: "0" } },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(parsers);
  const strange = names.filter((name) => !(name in parsers));
  if (strange.length > 0)
    throw new Error(`no parser ${strange.join(", ")}; parsers: ${Object.keys(parsers).join(", ")}`);
  for (const name of names) {
    const faults = await watched(name, Number(values.count), Number(values.seed));
    console.log(`${name}: ${values.count} damaged files, ${faults.length} faults`);
    for (const fault of faults) console.log(`  ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
  }
}

await (isMainThread ? main() : feed(workerData));
