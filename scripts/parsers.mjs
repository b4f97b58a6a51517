// What reads files from anyone, each with whole files to begin with: for scripts/fuzz.mjs and scripts/hostile.mjs.
import { readdirSync, readFileSync } from "node:fs";

const root = new URL("../packages/core/", import.meta.url);
const golden = new URL("golden/", root);
const bytesOf = (path) => new Uint8Array(readFileSync(new URL(path, golden)));
export const core = (path) => import(new URL(`dist/${path}.js`, root).href);
export const text = (bytes) => new TextDecoder().decode(bytes);
const folders = (path) =>
  readdirSync(new URL(`${path}/`, golden), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const configs = () => folders("models").map(({ name }) => bytesOf(`models/${name}/config.json`));
const template = () =>
  Object.values(JSON.parse(text(bytesOf("chat/golden.json"))).templates).map((source) =>
    new TextEncoder().encode(source),
  );
const tokenizers = () => ["tiny-bytes", "tiny-wordpiece"].map((name) => bytesOf(`tokenizer/${name}.json`));

/** What is fed: the whole files that mutations begin with, and what reads them. JSON is damaged by its values too. */
export const parsers = {
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
  const { readAdapter } = await core("adapters/adapter-files");
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
