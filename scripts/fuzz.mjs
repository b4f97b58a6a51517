// Feeds parsers with damaged files that were whole ones: each must answer with a value or an InputError, at once.
//   node scripts/fuzz.mjs [--count 20000] [--seed 0] [PARSER …]        after npm run build
// Prints a line for each parser, and for each fault the number of its mutation; exits with 1 where there is one.
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const root = new URL("../packages/core/", import.meta.url);
const golden = new URL("golden/", root);
const bytesOf = (path) => new Uint8Array(readFileSync(new URL(path, golden)));
const core = (path) => import(new URL(`dist/${path}.js`, root).href);
const text = (bytes) => new TextDecoder().decode(bytes);
const folders = (path) =>
  readdirSync(new URL(`${path}/`, golden), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const configs = () => folders("models").map(({ name }) => bytesOf(`models/${name}/config.json`));
const template = () =>
  Object.values(JSON.parse(text(bytesOf("chat/golden.json"))).templates).map((source) =>
    new TextEncoder().encode(source),
  );
const tokenizers = () => ["tiny-bytes", "tiny-wordpiece"].map((name) => bytesOf(`tokenizer/${name}.json`));

/** What is fed: the whole files that mutations begin with, and what reads them. JSON is damaged by its values too. */
const parsers = {
  config: { json: true, seeds: configs, read: readConfig },
  tokenizer: { json: true, seeds: tokenizers, read: (files) => readTokenizer({ "tokenizer.json": text(files) }) },
  vocab: {
    seeds: () => [new TextEncoder().encode("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nfilm\n##s\né\ne\n")],
    read: (file) => readTokenizer({ "vocab.txt": text(file) }),
  },
  merges: {
    seeds: () => [new TextEncoder().encode("#version: 0.2\na b\nab c\nĠ a\n")],
    read: (file) =>
      readTokenizer({
        "vocab.json": JSON.stringify({ a: 0, b: 1, ab: 2, c: 3, abc: 4, Ġ: 5, Ġa: 6 }),
        "merges.txt": text(file),
      }),
  },
  chat: { seeds: template, read: readChat },
  "adapter-config": { json: true, seeds: adapterConfigs, read: readAdapterConfig },
  pattern: {
    seeds: () =>
      [
        ".*\\.(q|v)_proj",
        "(?i)^(?!.*head).*layers\\.(?:[0-9]|1[0-2])\\.(?P<n>\\w+){1,3}$",
        "[^\\s\\p{L}]+(?<=a)b*?|\\s+(?!\\S)",
      ].map((source) => new TextEncoder().encode(source)),
    read: readPattern,
  },
  safetensors: {
    seeds: () => [bytesOf("models/llama-causal-lm/model.safetensors").slice(0, 20_000)],
    read: reader("containers/safetensors", "readSafetensors"),
  },
  "onnx-adapter": {
    seeds: () => [bytesOf("onnx-adapters/ort.onnx_adapter")],
    read: reader("containers/onnx-adapter-file", "readOnnxAdapter"),
  },
  gguf: { seeds: ggufFiles, read: reader("containers/gguf-file", "readGguf") },
  torch: { seeds: torchFiles, read: reader("containers/torch/torch-file", "readTorchFile") },
};

function reader(module, name) {
  return async (file) => {
    const { memorySource } = await core("containers/folder");
    return (await core(module))[name](memorySource("file", file));
  };
}

async function readConfig(file) {
  const { memoryFolder } = await core("containers/folder");
  const { readBase } = await core("checkpoints/hf-model");
  const { adapt } = await core("peft/adapt");
  const base = await readBase(memoryFolder("base", { "config.json": file }), { weights: false });
  const { classes } = base.model;
  if (base.model.sizes.layers <= 8)
    adapt(base, [], { task: classes["causal-lm"] ? "causal-lm" : "classification", labels: 2 });
}

async function readTokenizer(files) {
  const { loadTokenizer } = await core("data/tokenizer/tokenizer");
  const tokenizer = loadTokenizer(files);
  const { inputIds } = tokenizer.encode("The film wasn't bad: é 12  <s> [MASK]", "a", 64);
  tokenizer.decode([...inputIds, 5, 1000]);
}

async function readChat(file) {
  const { chatTemplate } = await core("data/tokenizer/chat-template");
  const write = chatTemplate(text(file), { bos_token: "<s>", eos_token: "</s>" });
  const tools = [{ type: "function", function: { name: "f", parameters: {} } }];
  const turns = [
    { role: "user", content: "a" },
    { role: "assistant", content: "b", tool_calls: [{ name: "f", arguments: { a: 1 } }] },
  ];
  write(turns, { tools, reply: true, marks: true });
}

async function readPattern(file) {
  const { compilePattern } = await core("patterns/pattern");
  const { matches, findAll } = compilePattern(text(file), "python");
  matches("model.layers.0.self_attn.q_proj".repeat(20));
  for (const _ of findAll("the film was  good ".repeat(50)));
}

function adapterConfigs() {
  return folders("adapters").map(({ name }) => bytesOf(`adapters/${name}/adapter_config.json`));
}

async function readAdapterConfig(file) {
  const { memoryFolder } = await core("containers/folder");
  const { readAdapter } = await core("adapters/adapter");
  await readAdapter(
    memoryFolder("adapter", { "adapter_config.json": file, "adapter_model.safetensors": adapterWeights }),
  );
}

const adapterWeights = Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]);

async function ggufFiles() {
  const { ggufBytes } = await core("containers/gguf-file");
  const { float32 } = await core("tensor/host-tensor");
  const fields = [
    ["general.type", "adapter"],
    ["adapter.type", "lora"],
    ["adapter.lora.alpha", 16],
  ];
  return [ggufBytes(fields, [["blk.0.attn_q.weight.lora_a", float32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))]])];
}

async function torchFiles() {
  const { torchFileBytes } = await core("containers/torch/torch-writer");
  const { float32 } = await core("tensor/host-tensor");
  return [
    torchFileBytes([
      ["a.lora_A", float32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))],
      ["β", float32([], Float32Array.of(7))],
    ]),
  ];
}

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
