// Adapters as petl writes them, with random tensors and petl's own logits, for check_petl_adapters.py to read with PEFT.
//
//     npm run build && node packages/core/golden/petl_adapters.mjs OUT
//
// Writes OUT/<base>-<case>/: adapter_config.json, adapter_model.safetensors and golden.json (`base`, `logits`), and
// OUT/merged-<case>/: the checkpoint that merging gives, with golden.json.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  adapt,
  compile,
  encodeAdapter,
  encodeFull,
  encodeMerged,
  initialPhi,
  labelCount,
  methods,
  ortEngine,
  readBase,
  taskOf,
  tensorsOf,
} from "@petl/core";
import * as ort from "onnxruntime-node";

const out = process.argv[2];
if (!out) throw new Error("usage: node packages/core/golden/petl_adapters.mjs OUT");
const models = fileURLToPath(new URL("models/", import.meta.url));

const use = (name, options = {}) => methods.find((method) => method.name === name).use(options);
const query = { bert: "query", roberta: "query", distilbert: "q_lin" };

/** The methods that PEFT can read, by case. */
const cases = (arch) => ({
  lora: [use("lora")],
  "lora-top": [use("lora", { layers: "top:1", rankStabilized: true })],
  "lora-all-linear": [use("lora", { targets: "all-linear", rank: 2 })],
  "lora-pattern-layers": [use("lora", { targets: `.*${query[arch]}`, layers: "1" })],
  "lora-patterns": [use("lora", { rankPattern: { "layer.0.*": 3, [query[arch]]: 5 }, alphaPattern: "layer.1.*=4" })],
  "lora-exclude": [use("lora", { exclude: ".*layer[.]0.*" })],
  "lora-embedding": [use("lora", { targets: `word_embeddings,${query[arch]}` })],
  "lora-bias-all": [use("lora"), use("bitfit")],
  "lora-bias-only": [use("lora", { targets: query[arch] }), use("bitfit", { targets: query[arch] })],
  "lora-pissa": [use("lora", { rank: 4, initWeights: "pissa" })],
  "lora-olora": [use("lora", { rank: 4, initWeights: "olora", rankStabilized: true })],
  dora: [use("dora")],
  adalora: [use("adalora", { initialRank: 4, rank: 2 })],
  vera: [use("vera", { rank: 6, targets: "all-linear" })],
  loha: [use("loha", { exclude: ".*layer[.]0.*" })],
  lokr: [use("lokr", { rank: 1, factor: 6, decomposeBoth: true })],
  prompt: [use("prompt", { tokens: 3 })],
  ia3: [use("ia3")],
  "ia3-layer": [use("ia3", { layers: "0" })],
  "ia3-outputs": [use("ia3", { targets: query[arch] })],
  ...(arch === "distilbert" ? {} : { prefix: [use("prefix", { tokens: 3 })] }), // PEFT has no prefix for DistilBERT
});

/** What PEFT puts on decoders' attention only. */
const decoderCases = {
  "llama-adapter": [use("llama-adapter", { tokens: 4 })],
  "llama-adapter-top": [use("llama-adapter", { tokens: 3, layers: "top:1" })],
};

const folder = (path) => ({
  name: path.split("/").at(-1),
  files: async () => readdirSync(path),
  open: async (file) => {
    const bytes = readFileSync(`${path}/${file}`);
    const read = async (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length));
    return { name: file, size: bytes.length, read };
  },
});

const engine = (path) =>
  ortEngine({
    ort,
    fileName: (file) => file,
    writesInPlace: true,
    options: async () => ({ extra: { session: { model_external_initializers_file_folder_path: path } } }),
  });

/** Numbers near the start that differ everywhere: a sine of the place. */
async function drawn(adapted) {
  const phi = await initialPhi(adapted, 1);
  for (let i = 0; i < phi.values.length; i++) phi.values[i] += 0.2 * Math.sin(i * i + 1);
  return phi;
}

async function logits(adapted, phi, rows, path) {
  const program = await compile(engine(path), { logits: adapted.forward().logits });
  const results = [];
  for (const { input_ids: ids, attention_mask = ids.map(() => 1), token_type_ids = ids.map(() => 0) } of rows) {
    const row = (values) => ({ dtype: "int32", shape: [1, values.length], data: Int32Array.from(values) });
    const inputs = { input_ids: row(ids), attention_mask: row(attention_mask), token_type_ids: row(token_type_ids) };
    results.push(Array.from((await program.run({ ...tensorsOf(phi), ...inputs })).logits.data));
  }
  return results;
}

async function whole(chunks) {
  const parts = [];
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk));
  return Buffer.concat(parts);
}

async function write(name, files, golden) {
  mkdirSync(`${out}/${name}`, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    const text = typeof content === "string" || content instanceof Uint8Array;
    writeFileSync(`${out}/${name}/${file}`, text ? content : await whole(content));
  }
  writeFileSync(`${out}/${name}/golden.json`, JSON.stringify(golden));
}

async function opened(baseName) {
  const path = `${models}${baseName}`;
  const base = await readBase(folder(path));
  const { rows } = JSON.parse(readFileSync(`${path}/golden.json`, "utf8"));
  return { path, base, rows, goal: { task: taskOf(base.config), labels: labelCount(base.config) } };
}

for (const baseName of ["llama-causal-lm", "mistral-causal-lm"]) {
  const { path, base, rows, goal } = await opened(baseName);
  for (const [name, uses] of Object.entries(decoderCases)) {
    const adapted = adapt(base, uses, goal);
    const phi = await drawn(adapted);
    const golden = { base: baseName, rows, logits: await logits(adapted, phi, rows, path) };
    await write(`${baseName}-${name}`, encodeAdapter({ adapted, phi }, { baseName }), golden);
  }
}

for (const arch of ["bert", "roberta", "distilbert"]) {
  for (const head of ["sequence-classification", "token-classification"]) {
    const baseName = `${arch}-${head}`;
    const { path, base, rows, goal } = await opened(baseName);
    for (const [name, uses] of Object.entries(cases(arch))) {
      const adapted = adapt(base, uses, goal);
      const phi = await drawn(adapted);
      const golden = { base: baseName, rows, logits: await logits(adapted, phi, rows, path) };
      await write(`${baseName}-${name}`, encodeAdapter({ adapted, phi }, { baseName }), golden);
      if (name === "prefix" || name === "prompt") continue;
      await write(`merged-${baseName}-${name}`, await encodeMerged(base, { adapted, phi }, engine(path)), golden);
    }
    const adapted = adapt(base, [use("full")], goal);
    const phi = await drawn(adapted);
    const golden = { base: baseName, rows, logits: await logits(adapted, phi, rows, path) };
    await write(`merged-${baseName}-full`, await encodeFull(base, { adapted, phi }, { baseName }), golden);
  }
}
