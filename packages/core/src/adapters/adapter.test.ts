import { expect, test } from "vitest";
import { goldenBase, goldenFolder } from "../checkpoints/golden.fake.ts";
import type { HfModel } from "../checkpoints/hf-model.ts";
import { gathered } from "../containers/chunks.ts";
import { type Folder, memoryFolder } from "../containers/folder.ts";
import { readSafetensors } from "../containers/safetensors.ts";
import { encodeFull } from "../exports/merged.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import type { Goal } from "../peft/goal.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import type { MethodUse } from "../peft/method.ts";
import { methods } from "../peft/methods.ts";
import type { Phi } from "../peft/phi.ts";
import { random } from "../tensor/random.ts";
import { readAdapter } from "./adapter-files.ts";
import { loadAdapterFiles } from "./adapter-on-base.ts";
import { encodeAdapter } from "./encode-adapter.ts";

const use = (name: string, options: Readonly<Record<string, unknown>> = {}): MethodUse[] =>
  methods.filter((method) => method.name === name).map((method) => method.use(options));

const info = { baseName: "tiny", labels: ["bad", "so-so", "good"], baseDigest: "sha256:12", petlVersion: "0.1.0" };
const goal: Goal = { task: "classification", labels: 3 };

/** An adapted model with every tensor of Φ drawn at random. */
async function drawn(
  base: HfModel,
  uses: readonly MethodUse[],
  what: Goal = goal,
): Promise<{ adapted: AdaptedModel; phi: Phi }> {
  const adapted = adapt(base, uses, what);
  const phi = await initialPhi(adapted, 1);
  random(7, "test").fillNormal(phi.values, 0, 1);
  return { adapted, phi };
}

const petlFieldsIn = async (folder: Folder) => {
  const files = await readAdapter(folder);
  return files.writer === "petl" || files.writer === "model" ? files.petl : undefined;
};

async function written(base: HfModel, adapted: AdaptedModel, phi: Phi): Promise<Folder> {
  if (adapted.methods.some(({ name }) => name === "full")) {
    const files = await encodeFull(base, { adapted, phi }, info);
    return memoryFolder("out", { ...files, "model.safetensors": await gathered(files["model.safetensors"]) });
  }
  return memoryFolder("out", { ...encodeAdapter({ adapted, phi }, info) });
}

const variants: readonly (readonly [string, readonly MethodUse[]])[] = [
  ...methods
    .filter(({ name }) => name !== "llama-adapter") // BERT's attention offers it no keys
    .map((method) => [`${method.name} with its defaults`, [method.use({})]] as const),
  ["lora on the top layer", use("lora", { rank: 3, alpha: 7, layers: "top:1", dropout: 0.1, rankStabilized: true })],
  ["lora by a pattern, by layers", use("lora", { targets: ".*(query|value)", layers: "0,2" })],
  ["lora on all linear layers", use("lora", { targets: "all-linear" })],
  [
    "lora with patterns and exclusions",
    use("lora", {
      targets: "query,value,key",
      exclude: "value",
      rankPattern: { "layer.1.*": 2, key: 5 },
      alphaPattern: "query=3",
    }),
  ],
  ["lora on embeddings", use("lora", { targets: "word_embeddings,query" })],
  ["lora and all biases", [...use("lora"), ...use("bitfit")]],
  ["lora and its layers' biases", [...use("lora"), ...use("bitfit", { targets: "query,value" })]],
  ["lora and other biases", [...use("lora"), ...use("bitfit", { targets: "key" })]],
  ["ia3 on one layer", use("ia3", { layers: "1" })],
  ["ia3 without inner layers", use("ia3", { targets: "query,value" })],
  ["prefix and bitfit", [...use("prefix", { tokens: 3 }), ...use("bitfit")]],
  ["bottleneck and lora", [...use("bottleneck", { size: 4 }), ...use("lora")]],
];

for (const [title, uses] of variants) {
  test(`${title}: written, read and loaded, the options, layout, labels and bytes of Φ are the same`, async () => {
    const { base } = await goldenBase("bert-sequence-classification");
    const { adapted, phi } = await drawn(base, uses);
    const folder = await written(base, adapted, phi);
    const again = await loadAdapterFiles(folder, base);
    expect(again.adapted.methods.map(({ name, options }) => ({ name, options }))).toEqual(
      uses.map(({ name, options }) => ({ name, options })),
    );
    expect(again.labels).toEqual(info.labels);
    expect(again.adapted.layout.map(({ name, shape, offset }) => ({ name, shape, offset }))).toEqual(
      adapted.layout.map(({ name, shape, offset }) => ({ name, shape, offset })),
    );
    expect(again.phi.values).toEqual(phi.values);
    expect((await petlFieldsIn(folder))?.baseDigest).toBe(info.baseDigest);
    const second = await written(base, again.adapted, again.phi);
    for (const file of await folder.files()) {
      const [one, other] = [await folder.open(file), await second.open(file)];
      expect(await other.read(0, other.size)).toEqual(await one.read(0, one.size));
    }
  });
}

const goals: readonly (readonly [string, string, Goal])[] = [
  ["a regression head", "bert-regression", { task: "regression", labels: 1 }],
  ["a head for tokens", "distilbert-token-classification", { task: "token-classification", labels: 5 }],
  ["a language model's own head", "roberta-masked-lm", { task: "masked-lm", labels: 1 }],
  ["a trained language model's head", "roberta-masked-lm", { task: "masked-lm", labels: 1, trainsHead: true }],
  ["a frozen head", "distilbert-sequence-classification", { task: "classification", labels: 3, trainsHead: false }],
  ["a base without pooler", "bert-masked-lm", { task: "classification", labels: 4 }],
  ["mean pooling", "roberta-base", { task: "classification", labels: 2, pooling: "mean" }],
  [
    "saved modules",
    "bert-sequence-classification",
    { task: "classification", labels: 3, savedModules: ["bert.pooler"] },
  ],
];

for (const [title, name, what] of goals) {
  test(`${title}: written and read, the goal means the same`, async () => {
    const { base } = await goldenBase(name);
    const { adapted, phi } = await drawn(base, use("lora"), what);
    const files = encodeAdapter({ adapted, phi }, { baseName: name });
    const again = await loadAdapterFiles(memoryFolder("out", { ...files }), base);
    expect(again.phi.values).toEqual(phi.values);
    expect(again.adapted.layout.map((placed) => placed.name)).toEqual(adapted.layout.map((placed) => placed.name));
    expect(again.adapted.goal.task).toBe(what.task);
    expect(again.adapted.goal.pooling).toBe(what.pooling ?? "default");
  });
}

const layouts: readonly (readonly [string, readonly MethodUse[], Goal, unknown])[] = [
  ["lora", use("lora"), goal, "LORA"],
  ["dora", use("dora"), goal, "LORA"],
  ["vera", use("vera"), goal, "VERA"],
  ["loha", use("loha"), goal, "LOHA"],
  ["lokr", use("lokr"), goal, "LOKR"],
  ["ia3", use("ia3"), goal, "IA3"],
  ["prefix", use("prefix"), goal, "PREFIX_TUNING"],
  ["prompt", use("prompt"), goal, "PROMPT_TUNING"],
  ["lora and all biases", [...use("lora"), ...use("bitfit")], goal, "LORA"],
  ["lora and some biases", [...use("lora"), ...use("bitfit", { targets: "key" })], goal, null],
  ["lora under mean pooling", use("lora"), { ...goal, pooling: "mean" }, null],
  ["bottleneck", use("bottleneck"), goal, null],
  ["bitfit", use("bitfit"), goal, null],
];

for (const [title, uses, what, type] of layouts) {
  test(`${title}: the layout is ${type === null ? "petl's, which PEFT refuses" : "PEFT's"}`, async () => {
    const { base } = await goldenBase("bert-sequence-classification");
    const { adapted, phi } = await drawn(base, uses, what);
    const config = JSON.parse(encodeAdapter({ adapted, phi }, info)["adapter_config.json"]);
    expect(config.peft_type).toBe(type);
    expect("petl_method" in config).toBe(type === null);
    expect(Object.keys(config)).toEqual(Object.keys(config).sort());
  });
}

test.each([
  ["a gate a layer", { layers: "top:1" }, "ADAPTION_PROMPT"],
  ["a gate a layer, below the top", { layers: "0" }, null],
  ["a gate a head", { gate: "head-tanh" }, null],
] as const)(
  "llama-adapter with %s: written and read, Φ is the same, in PEFT's layout where it has that",
  async (_, options, type) => {
    const { base } = await goldenBase("llama-causal-lm");
    const { adapted, phi } = await drawn(base, use("llama-adapter", options), { task: "causal-lm", labels: 1 });
    const files = encodeAdapter({ adapted, phi }, { baseName: "llama" });
    const config = JSON.parse(files["adapter_config.json"]);
    expect(config.peft_type).toBe(type);
    if (type) expect(config).not.toHaveProperty("modules_to_save"); // PEFT's class has no such field, and warns
    const again = await loadAdapterFiles(memoryFolder("out", { ...files }), base);
    expect(again.phi.values).toEqual(phi.values);
    expect(again.adapted.methods[0]?.options).toEqual(adapted.methods[0]?.options);
  },
);

test("a configuration that was edited after petl wrote it is right, petl's own record is not", async () => {
  const { base } = await goldenBase("bert-sequence-classification");
  const { adapted, phi } = await drawn(base, use("lora", { alpha: 5 }));
  const files = encodeAdapter({ adapted, phi }, info);
  const edited = files["adapter_config.json"].replace('"lora_alpha": 5', '"lora_alpha": 9');
  const again = await loadAdapterFiles(memoryFolder("out", { ...files, "adapter_config.json": edited }), base);
  expect(again.adapted.methods[0]?.options).toMatchObject({ alpha: 9 });
  expect(again.labels).toEqual(info.labels);
});

test("tensors have PEFT's keys", async () => {
  const { base } = await goldenBase("bert-sequence-classification");
  for (const [name, uses] of [
    ["bert-lora", use("lora", { rank: 4, alpha: 8 })],
    ["bert-prefix", use("prefix", { tokens: 5 })],
    ["bert-prompt", use("prompt", { tokens: 5 })],
    ["bert-loha", use("loha")],
    ["bert-lokr", use("lokr", { rank: 2, targets: "query,value,intermediate.dense" })],
    ["bert-ia3", use("ia3")],
    ["bert-vera", use("vera", { targets: "query,value,output.dense" })],
    ["bert-lora-embedding", use("lora", { rank: 4, targets: "query,word_embeddings" })],
    ["bert-lora-bias-only", [...use("lora", { rank: 4 }), ...use("bitfit", { targets: "query,value" })]],
  ] as const) {
    const { adapted, phi } = await drawn(base, uses);
    const ours = await memoryFolder("out", { ...encodeAdapter({ adapted, phi }, info) }).open(
      "adapter_model.safetensors",
    );
    const theirs = await goldenFolder(`adapters/${name}`).open("adapter_model.safetensors");
    const [got, wanted] = [await readSafetensors(ours), await readSafetensors(theirs)];
    expect([...got.tensors.keys()].sort()).toEqual([...wanted.tensors.keys()].sort());
  }
});

test("full fine-tuning's checkpoint is a base too: the trained model's own, with its labels", async () => {
  const { base } = await goldenBase("distilbert-base");
  const { adapted, phi } = await drawn(base, use("full"));
  const folder = await written(base, adapted, phi);
  const adapter = await readAdapter(folder);
  expect(adapter.layout).toBe("checkpoint");
  if (adapter.writer !== "model") throw new Error(`read as ${adapter.writer}`);
  expect(adapter.model.config).toMatchObject({
    architectures: ["DistilBertForSequenceClassification"],
    id2label: { 0: "bad", 1: "so-so", 2: "good" },
    label2id: { bad: 0, "so-so": 1, good: 2 },
    problem_type: "single_label_classification",
  });
  expect(adapt(adapter.model, [], goal).newTensors).toEqual([]);
});

test("adapters whose files say the same share all but their numbers, and no others do", async () => {
  const { base } = await goldenBase("bert-sequence-classification");
  const load = async (options: Readonly<Record<string, unknown>>, seed: number, on = base) => {
    const { adapted, phi } = await drawn(base, use("lora", options));
    phi.values.fill(seed);
    return loadAdapterFiles(await written(base, adapted, phi), on);
  };
  const [first, second] = [await load({ rank: 2 }, 1), await load({ rank: 2 }, 2)];
  expect(second.adapted).toBe(first.adapted);
  expect([first.phi.values[0], second.phi.values[0]]).toEqual([1, 2]);
  expect((await load({ rank: 2, alpha: 3 }, 1)).adapted).not.toBe(first.adapted);
  expect((await load({ rank: 2, targets: "key" }, 1)).adapted).not.toBe(first.adapted);
  expect((await load({ rank: 2 }, 1, { ...base })).adapted).not.toBe(first.adapted);
});
