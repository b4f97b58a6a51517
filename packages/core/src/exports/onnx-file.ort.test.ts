import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { distance, goldenBase, logitsOf, type Row } from "../checkpoints/golden.fake.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { adapt } from "../peft/adapt.ts";
import type { Goal } from "../peft/goal.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import type { MethodUse } from "../peft/method.ts";
import { methods } from "../peft/methods.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { random } from "../tensor/random.ts";
import { encodeOnnx, encodeOnnxForAdapters } from "./onnx-file.ts";

const use = (...names: string[]): MethodUse[] =>
  methods.filter(({ name }) => names.includes(name)).map((method) => method.use({}));

async function drawn(name: string, uses: readonly MethodUse[], goal: Goal) {
  const { base, rows, path } = await goldenBase(name);
  const adapted = adapt(base, uses, goal);
  const phi = await initialPhi(adapted, 1);
  random(7, "test").fillNormal(phi.values, 0, 0.2);
  return { base, adapted, phi, rows, path };
}

/** What ONNX Runtime makes of the file by itself, as transformers.js feeds it: rows one by one, without masked positions. */
async function alone(model: Uint8Array, rows: readonly Row[]) {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const wide = (ids: readonly number[]) =>
    new ort.Tensor("int64", BigInt64Array.from(ids.map(BigInt)), [1, ids.length]);
  const logits: number[][] = [];
  for (const { input_ids: ids, attention_mask: mask = ids.map(() => 1), token_type_ids: types } of rows) {
    const feeds = { input_ids: wide(ids), attention_mask: wide(mask), token_type_ids: wide(types ?? ids.map(() => 0)) };
    const named = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
    const { logits: found } = await session.run(Object.fromEntries(named));
    const values = Array.from(found?.data ?? [], Number);
    const perToken = found?.dims.length === 3 ? (found.dims[2] ?? 0) : 0;
    logits.push(perToken ? values.filter((_, i) => mask[Math.floor(i / perToken)] !== 0) : values);
  }
  const { inputNames, outputNames } = session;
  await session.release();
  return { logits, inputNames, outputNames };
}

const inputs = ["input_ids", "attention_mask"];
const classes: Goal = { task: "classification", labels: 3 };
const cases: readonly (readonly [string, readonly MethodUse[], Goal, readonly string[]])[] = [
  ["bert-sequence-classification", use("lora"), classes, [...inputs, "token_type_ids"]],
  ["distilbert-base", use("ia3"), { task: "token-classification", labels: 5 }, inputs],
  ["roberta-base", use("bottleneck"), { ...classes, pooling: "mean" }, [...inputs, "token_type_ids"]],
  ["bert-masked-lm", use("prefix"), { task: "masked-lm", labels: 1 }, [...inputs, "token_type_ids"]],
  ["llama-causal-lm-tied", use("dora"), { task: "causal-lm", labels: 1 }, inputs],
  ["gemma2-causal-lm", use("lora"), { task: "causal-lm", labels: 1 }, inputs],
  ["gpt2-sequence-classification", use("lora"), classes, inputs],
  ["distilbert-sequence-classification-f16", use("bottleneck", "bitfit"), classes, inputs],
];

// merged and unmerged weights, batches of one and of many sum in other orders
const tolerance = 2e-4;

for (const [name, uses, goal, names] of cases) {
  const title = uses.map((method) => method.name).join(" and ");
  test(`${name} with ${title} for ${goal.task}: one file computes alone what both compute together`, async () => {
    const { base, adapted, phi, rows, path } = await drawn(name, uses, goal);
    const files = await encodeOnnx(base, { adapted, phi }, nativeEngine(path));
    const found = await alone(files["model.onnx"], rows);
    expect([...found.inputNames].sort()).toEqual([...names].sort());
    expect(found.outputNames).toEqual(["logits"]);
    expect(distance(found.logits, await logitsOf(adapted, phi, rows, path))).toBeLessThan(tolerance);
    expect(JSON.parse(files["config.json"]).architectures).toEqual([base.model.classes[objectiveOf(goal.task).head]]);
  });
}

test("a file with past goes on token by token as it computes the whole text; other tasks and prompts have none", async () => {
  const { base, adapted, phi, rows, path } = await drawn("llama-causal-lm", use("lora"), {
    task: "causal-lm",
    labels: 1,
  });
  const files = await encodeOnnx(base, { adapted, phi }, nativeEngine(path), { past: true });
  const session = await ort.InferenceSession.create(files["model.onnx"], { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const { layers, keyValueHeads: heads, headSize, vocabulary } = base.model.sizes;
  const names = Array.from({ length: layers }, (_, i) => [`${i}.key`, `${i}.value`]).flat();
  const none = new ort.Tensor("float32", new Float32Array(0), [1, heads, 0, headSize]);
  let past: Record<string, ort.Tensor> = Object.fromEntries(names.map((name) => [`past_key_values.${name}`, none]));
  const ids = rows[1]?.input_ids ?? [];
  const found: number[] = [];
  for (const [at, id] of ids.entries()) {
    const mask = new ort.Tensor("int64", new BigInt64Array(at + 1).fill(1n), [1, at + 1]);
    const outputs = await session.run({
      input_ids: new ort.Tensor("int64", BigInt64Array.of(BigInt(id)), [1, 1]),
      attention_mask: mask,
      ...past,
    });
    expect(outputs.logits?.dims).toEqual([1, 1, vocabulary]);
    found.push(...Array.from(outputs.logits?.data ?? [], Number));
    past = Object.fromEntries(names.map((name) => [`past_key_values.${name}`, outputs[`present.${name}`] ?? none]));
  }
  await session.release();
  const wanted = await logitsOf(adapted, phi, [{ input_ids: ids }], path);
  expect(distance([found], wanted)).toBeLessThan(tolerance);
  const other = await drawn("bert-sequence-classification", use("lora"), classes);
  await expect(encodeOnnx(other.base, other, nativeEngine(path), { past: true })).rejects.toThrow(
    "only causal language models have a past; this model is for classification",
  );
  const prompted = await drawn("llama-causal-lm", use("prompt"), { task: "causal-lm", labels: 1 });
  for (const file of [
    encodeOnnx(prompted.base, prompted, nativeEngine(path), { past: true }),
    encodeOnnxForAdapters(prompted.base, prompted, { past: true }),
  ]) {
    await expect(file).rejects.toThrow("prompt stands in front of a text alone");
  }
});

test("half the bytes a number are half the file, and a type is refused where weights are not merged", async () => {
  const { base, adapted, phi, path } = await drawn("bert-sequence-classification", use("lora"), classes);
  const bytesIn = async (dtype: "float32" | "float16") =>
    (await encodeOnnx(base, { adapted, phi }, nativeEngine(path), { dtype }))["model.onnx"].length;
  const halved = (await bytesIn("float32")) - (await bytesIn("float16"));
  const numbers = adapted.modelTensors.reduce((sum, { shape }) => sum + shape.reduce((size, n) => size * n, 1), 0);
  expect(halved).toBeGreaterThan(1.9 * numbers); // the rest are the graph's casts
  expect(halved).toBeLessThanOrEqual(2 * numbers);
  const other = await drawn("bert-sequence-classification", use("bottleneck"), classes);
  await expect(encodeOnnx(other.base, other, nativeEngine(path), { dtype: "float16" })).rejects.toThrow(
    "`dtype` is for merged weights, but bottleneck cannot be merged",
  );
});
