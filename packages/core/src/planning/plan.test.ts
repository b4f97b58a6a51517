import { expect, test } from "vitest";
import { readBase } from "../checkpoints/hf-model.ts";
import { memoryFolder } from "../containers/folder.ts";
import { InputError } from "../errors.ts";
import { adapt } from "../peft/adapt.ts";
import { countParameters } from "../peft/counts.ts";
import { methods } from "../peft/methods.ts";
import type { MethodPlan } from "./plan.ts";
import type { PlanOptions } from "./plan-options.ts";
import { type PlanSource, plan } from "./plan-source.ts";
import type { PlanTarget } from "./target.ts";

const encoder = { layers: 3, hidden: 32, heads: 4, feedForward: 64, vocabulary: 96, positions: 64 } as const;
const decoder = { ...encoder, architecture: "llama" } as const;
const task = { task: "classification", labels: 3, tokens: 16, batch: 2 } as const;

const measures: Readonly<Record<PlanTarget["kind"], (plan: MethodPlan) => number>> = {
  ratio: ({ trainable_ratio }) => trainable_ratio,
  parameters: ({ trained_parameters }) => trained_parameters,
  "file-size": ({ adapter_bytes }) => adapter_bytes,
  memory: ({ training_memory_bytes }) => training_memory_bytes.total,
};

const targets: readonly (readonly [PlanSource, PlanOptions])[] = [
  [encoder, { ...task, ratio: 0.02 }],
  [encoder, { ...task, parameters: 1500 }],
  [encoder, { ...task, fileSize: 20_000 }],
  [decoder, { ratio: 0.1, tokens: 16, batch: 2 }],
];

test.each(targets)("the next larger setting exceeds the target: %j %j", async (source, options) => {
  const { target, plans } = await plan(source, options);
  let compared = 0;
  for (const { method, options: found, notes, ...measured } of plans) {
    const size = methods.find(({ name }) => name === method)?.size;
    if (found === null || target === null) continue;
    const of = measures[target.kind];
    expect(of({ method, options: found, notes, ...measured }), method).toBeLessThanOrEqual(target.value);
    if (!size || notes.some((note) => note.includes("as large as makes sense"))) continue;
    const larger = { ...found, [size.option]: Number(found[size.option]) + 1 };
    const { ratio: _, parameters: __, fileSize: ___, ...load } = options;
    const [next] = (await plan(source, { ...load, method, options: larger })).plans;
    expect(next && of(next), method).toBeGreaterThan(target.value);
    compared++;
  }
  expect(compared).toBeGreaterThan(0);
});

test("counts are those of the adapted model, and memory is the sum of its parts", async () => {
  const { plans } = await plan(encoder, task);
  const config = { model_type: "bert", num_hidden_layers: 3, hidden_size: 32, num_attention_heads: 4 };
  const sizes = { intermediate_size: 64, vocab_size: 96, max_position_embeddings: 64 };
  const folder = memoryFolder("base", { "config.json": JSON.stringify({ ...config, ...sizes }) });
  const base = await readBase(folder, { weights: false });
  const possible = plans.filter(({ options }) => options !== null);
  expect(possible.length).toBeGreaterThan(5);
  for (const { method, options, training_memory_bytes, ...counts } of possible) {
    const use = methods.find(({ name }) => name === method)?.use(options ?? {});
    const { base_parameters: _, ...expected } = countParameters(adapt(base, use ? [use] : [], task));
    expect(counts, method).toMatchObject(expected);
    const { total, ...parts } = training_memory_bytes;
    expect(total).toBe(Object.values(parts).reduce((sum, bytes) => sum + bytes, 0));
  }
});

test("at GPT-3's shape and 0.1 % the rule of thumb says 12; 12 trains less, and the exact size is larger", async () => {
  const d = 12288;
  const shape = { architecture: "gpt2", layers: 96, hidden: d, heads: 96, vocabulary: 50257 } as const;
  const { base, plans } = await plan(shape, { ratio: 0.001, method: "bottleneck", batch: 1, tokens: 8 });
  expect(base.base_parameters).toBe(96 * (12 * d * d + 13 * d) + (50257 + 1024) * d + 2 * d);
  const share = (size: number) => (96 * (2 * (2 * d * size + size + d) + 4 * d)) / base.base_parameters;
  const [bottleneck] = plans;
  expect(bottleneck?.options?.size).toBe(35);
  expect(bottleneck?.trainable_ratio).toBe(share(35));
  expect(share(36)).toBeGreaterThan(0.001);
  const notes = bottleneck?.notes.join("\n");
  expect(notes).toContain("12288, says 12;");
  expect(notes).toContain(`${Number((100 * share(12)).toPrecision(3))} %`);
});

test("a memory target says which batches fit, also over the base in fewer bits", async () => {
  const shape = { architecture: "llama", layers: 2, hidden: 256, heads: 4 } as const;
  const { plans } = await plan(shape, { memory: 400e6, tokens: 32, method: "lora" });
  const [note] = plans[0]?.notes.filter((each) => each.startsWith("rows of 32 tokens")) ?? [];
  expect(note).toMatch(/float32 batches of up to \d+ fit, in 8 bits batches of up to \d+ fit, in 4 bits/);
});

test("a method that cannot meet the target, or finds nothing to do, has no options and says so", async () => {
  const { plans } = await plan(encoder, { ...task, parameters: 10 });
  const full = plans.find(({ method }) => method === "full");
  expect(full).toMatchObject({ options: null, notes: [expect.stringContaining("cannot meet the target")] });
  const gates = plans.find(({ method }) => method === "llama-adapter");
  expect(gates).toMatchObject({ options: null, notes: [expect.stringContaining("finds nothing to act on")] });
});

test("several methods are planned in the order that they are named in, each as it is alone", async () => {
  const lora = { name: "lora", options: { targets: "all-linear" } };
  const { plans } = await plan(encoder, { ...task, parameters: 3000, method: [lora, "bottleneck"] });
  const alone = [lora, "bottleneck"].map((method) => plan(encoder, { ...task, parameters: 3000, method }));
  expect(plans).toEqual((await Promise.all(alone)).flatMap((each) => each.plans));
  expect(plans.map(({ method }) => method)).toEqual(["lora", "bottleneck"]);
  await expect(plan(encoder, { method: ["lora", "lora", "ladapter"] })).rejects.toThrow(/ladapter.*lora twice/s);
});

test("wrong arguments are refused, every problem at once", async () => {
  const wrong = { layers: 2, hiden: 8 } as unknown as PlanSource;
  const error = await plan(wrong, { ratio: 2, parameters: 5, batch: 0 }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  const text = error instanceof InputError ? error.problems.join("\n") : "";
  for (const part of ['"hiden"', "hidden is missing", "batch"]) expect(text).toContain(part);
});
