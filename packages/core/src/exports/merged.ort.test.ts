import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diskFolder, distance, goldenBase, logitsOf } from "../checkpoints/golden.fake.ts";
import { type HfModel, readBase } from "../checkpoints/hf-model.ts";
import { gathered } from "../containers/chunks.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import type { Goal } from "../peft/goal.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import type { MethodUse } from "../peft/method.ts";
import { methods } from "../peft/methods.ts";
import type { Phi } from "../peft/phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import type { Engine } from "../runtime/session.ts";
import { random } from "../tensor/random.ts";
import { encodeMerged, type MergeOptions } from "./merged.ts";

const use = (name: string, options: Readonly<Record<string, unknown>> = {}): MethodUse[] =>
  methods.filter((method) => method.name === name).map((method) => method.use(options));
const goal: Goal = { task: "classification", labels: 3 };

async function drawn(
  base: HfModel,
  uses: readonly MethodUse[],
  what: Goal = goal,
): Promise<{ adapted: AdaptedModel; phi: Phi }> {
  const adapted = adapt(base, uses, what);
  const phi = await initialPhi(adapted, 1);
  random(7, "test").fillNormal(phi.values, 0, 0.2);
  return { adapted, phi };
}

/** Merges into a folder, opens that as a base, and lends it to `look`. */
async function merged(
  { base, adapted, phi, path }: { base: HfModel; adapted: AdaptedModel; phi: Phi; path: string },
  options: MergeOptions,
  look: (model: HfModel, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "petl-merged-"));
  try {
    const files = await encodeMerged(base, { adapted, phi }, nativeEngine(path), options);
    writeFileSync(join(folder, "config.json"), files["config.json"]);
    writeFileSync(join(folder, "model.safetensors"), await gathered(files["model.safetensors"]));
    await look(await readBase(diskFolder(folder)), folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// a half's rounding of merged weights of about 0.5 moves logits by some 2^-8 (bfloat16) or 2^-11 of their size
const cases: readonly (readonly [string, string, readonly MethodUse[], number])[] = [
  ["a bare base", "roberta-base", use("lora"), 1e-4],
  ["a base of a language model", "bert-masked-lm", use("dora"), 1e-4],
  ["a base in shards", "bert-sequence-classification-sharded", use("ia3"), 1e-4],
  ["a base in bfloat16", "bert-sequence-classification-bf16", use("lora"), 0.1],
  ["a base in float16", "distilbert-sequence-classification-f16", use("lora"), 0.02],
  ["a base with trained biases", "distilbert-base", use("bitfit"), 1e-4],
  ["a base with trained upper layers", "roberta-base", use("top-layers"), 1e-4],
];

for (const [title, name, uses, tolerance] of cases) {
  test(`${title} merges with ${uses[0]?.name} to a model of the task's class, whose other tensors keep their bits`, async () => {
    const { base, rows, path } = await goldenBase(name);
    const { adapted, phi } = await drawn(base, uses);
    const changed = new Set(Object.keys(adapted.merged()));
    await merged({ base, adapted, phi, path }, { labels: ["a", "b", "c"] }, async (model, folder) => {
      expect(model.config).toMatchObject({
        architectures: [base.model.classes.classification],
        id2label: { 0: "a", 1: "b", 2: "c" },
      });
      const alone = adapt(model, [], { ...goal, trainsHead: false });
      const none = await initialPhi(alone, 0);
      const wanted = await logitsOf(adapted, phi, rows, path);
      expect(distance(await logitsOf(alone, none, rows, folder), wanted)).toBeLessThan(tolerance);
      const stored = base.checkpoint?.tensors ?? new Map();
      expect(stored.size).toBeGreaterThan(changed.size);
      for (const [key, tensor] of stored) {
        const plain = name.endsWith("-base") ? `${base.model.prefix}.${key}` : key;
        expect(model.checkpoint?.tensors.get(plain)).toMatchObject({ dtype: tensor.dtype, shape: tensor.shape });
        if (!changed.has(plain)) expect(await model.checkpoint?.read(plain)).toEqual(await base.checkpoint?.read(key));
      }
    });
  });
}

test("with a type asked for, every float tensor has it and config.json says so", async () => {
  const { base, path } = await goldenBase("distilbert-sequence-classification");
  const { adapted, phi } = await drawn(base, use("lora"));
  await merged({ base, adapted, phi, path }, { dtype: "bfloat16" }, async (model) => {
    expect(new Set([...(model.checkpoint?.tensors.values() ?? [])].map(({ dtype }) => dtype))).toEqual(
      new Set(["bfloat16"]),
    );
    expect(model.config).toMatchObject({ dtype: "bfloat16" });
  });
});

const unused: Engine = {
  fileName: (file) => file,
  createSession: () => Promise.reject(new Error("nothing should be computed")),
  hold: () => Promise.reject(new Error("nothing should be held")),
  share: () => ({ values: new Float32Array() }),
  sees: () => false,
};

for (const [title, uses, what, message] of [
  ["bottleneck", use("bottleneck"), goal, /bottleneck cannot be merged/],
  ["prefix", use("prefix"), goal, /prefix cannot be merged/],
  ["mean pooling", use("lora"), { ...goal, pooling: "mean" }, /the head reads pooling "mean"/],
] as const) {
  test(`${title} is refused before anything is computed`, async () => {
    const { base } = await goldenBase("bert-sequence-classification");
    const { adapted, phi } = await drawn(base, uses, what);
    await expect(encodeMerged(base, { adapted, phi }, unused)).rejects.toThrow(message);
  });
}

test("names of labels that are not as many as the head has are refused", async () => {
  const { base } = await goldenBase("bert-sequence-classification");
  const { adapted, phi } = await drawn(base, use("lora"));
  await expect(encodeMerged(base, { adapted, phi }, unused, { labels: ["one"] })).rejects.toThrow(
    "1 names of labels were given for a head of 3",
  );
});
