import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { adapt } from "../peft/adapt.ts";
import type { Goal } from "../peft/goal.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import type { MethodUse } from "../peft/method.ts";
import { head } from "../peft/methods/head.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { topLayers } from "../peft/methods/top-layers.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { random } from "../tensor/random.ts";
import type { CacheOptions } from "./cache.ts";
import { memoryStore } from "./row-store.ts";
import { parseSettings } from "./settings.ts";
import { type StepEvent, type TrainingRun, trainSteps } from "./train.ts";

const numbers = random(1, "rows");
const examples: readonly EncodedExample[] = Array.from({ length: 30 }, () => {
  const inputIds = Int32Array.from({ length: 3 + numbers.integer(12) }, () => 5 + numbers.integer(90));
  return { inputIds, target: { kind: "class", id: (inputIds[0] ?? 0) % 3 } };
});
const texts: readonly EncodedExample[] = examples.map(({ inputIds }) => ({
  inputIds,
  target: { kind: "tokens", ids: Int32Array.from(inputIds, (_, i) => inputIds[i + 1] ?? -100) },
}));

const said: string[] = [];
const cacheOf = (options: Partial<CacheOptions>): CacheOptions => ({
  cache: "memory",
  cacheType: "float32",
  room: { memory: 1e9, disk: 1e9 },
  openDisk: async (bytes) => memoryStore(bytes),
  remark: (text) => said.push(text),
  ...options,
});

interface Case {
  readonly model: string;
  readonly goal: Goal;
  readonly rows: readonly EncodedExample[];
  readonly use: MethodUse;
}
const classes: Goal = { task: "classification", labels: 3 };
const encoder = { model: "bert-sequence-classification", goal: classes, rows: examples };
const cases: readonly (readonly [string, Case])[] = [
  ["the head on pooled features", { ...encoder, use: head.use({}) }],
  ["the head on the tokens' mean", { ...encoder, goal: { ...classes, pooling: "mean" }, use: head.use({}) }],
  ["LoRA with dropout in the top layer", { ...encoder, use: lora.use({ layers: "top:1", dropout: 0.1 }) }],
  ["the top layer", { ...encoder, use: topLayers.use({ count: 1 }) }],
  [
    "LoRA in the top layer of a decoder",
    {
      model: "gpt2-causal-lm",
      goal: { task: "causal-lm", labels: 1 },
      rows: texts,
      use: lora.use({ layers: "top:1" }),
    },
  ],
];

async function newRun({ model, goal, rows, use }: Case, more: Partial<TrainingRun> = {}): Promise<TrainingRun> {
  const { base, path } = await goldenBase(model);
  const adapted = adapt(base, [use], goal);
  const phi = await initialPhi(adapted, 3);
  const settings = parseSettings({ batch: 8, lr: 0.01, epochs: 3, checkpointEvery: 1 });
  return { engine: nativeEngine(path), adapted, phi, examples: rows, settings, ...more };
}

async function lossesOf(run: TrainingRun): Promise<readonly number[]> {
  const steps: StepEvent[] = [];
  for await (const event of trainSteps(run)) if (event.kind === "step") steps.push(event);
  return steps.map(({ loss }) => loss);
}

test.each(cases)("%s: the cache changes no loss of the first epoch, and later ones by rounding", async (_, each) => {
  const expected = await lossesOf(await newRun(each));
  said.length = 0;
  const kept = await lossesOf(await newRun(each, { cache: cacheOf({}) }));
  expect(said).toEqual([expect.stringContaining("cache: memory")]);
  expect(kept.slice(0, 4)).toEqual(expected.slice(0, 4));
  for (const [i, loss] of kept.entries()) expect(Math.abs(loss - (expected[i] ?? 0))).toBeLessThanOrEqual(1e-6);
  const half = await lossesOf(await newRun(each, { cache: cacheOf({ cacheSize: 3000 }) }));
  for (const [i, loss] of half.entries()) expect(Math.abs(loss - (expected[i] ?? 0))).toBeLessThanOrEqual(1e-6);
});

test("kept in bfloat16 it takes half, and moves losses by no more than 8 bits of what is kept do", async () => {
  const [, each] = cases[2] ?? [];
  if (!each) return expect.fail();
  const keptAs = async (cacheType: CacheOptions["cacheType"]) => {
    let bytes = 0;
    const openDisk = async (most: number) => {
      bytes = most;
      return memoryStore(most);
    };
    return {
      losses: await lossesOf(await newRun(each, { cache: cacheOf({ cache: "disk", cacheType, openDisk }) })),
      bytes,
    };
  };
  const [exact, rounded] = [await keptAs("float32"), await keptAs("bfloat16")];
  expect(rounded.bytes).toBe(exact.bytes / 2);
  expect(rounded.losses.slice(0, 4)).toEqual(exact.losses.slice(0, 4));
  const apart = Math.max(...rounded.losses.map((loss, i) => Math.abs(loss - (exact.losses[i] ?? 0))));
  expect(apart).toBeLessThan(2 ** -8);
  expect(apart).toBeGreaterThan(0);
});

test("a run with a cache that goes on from a checkpoint ends with the same bits", async () => {
  const [, each] = cases[0] ?? [];
  if (!each) return expect.fail();
  const whole = await newRun(each, { cache: cacheOf({}) });
  let resume: TrainingRun["resume"];
  for await (const event of trainSteps(whole)) {
    if (event.kind !== "checkpoint" || event.state.step !== 6) continue;
    const { values, moments } = event.state;
    resume = { ...event.state, values: values.slice(), moments: moments.map((moment) => moment.slice()) };
  }
  const rest = await newRun(each, { cache: cacheOf({}), resume });
  await lossesOf(rest);
  expect(rest.phi.values).toEqual(whole.phi.values);
});

test("auto says why it keeps nothing: everything is trained, the base's dropout, one epoch", async () => {
  said.length = 0;
  const [, each] = cases[0] ?? [];
  if (!each) return expect.fail();
  const told = (settings: object) => ({
    cache: cacheOf({ cache: "auto" }),
    settings: parseSettings({ batch: 8, epochs: 2, ...settings }),
  });
  await lossesOf(await newRun({ ...each, use: lora.use({}) }, told({})));
  await lossesOf(await newRun(each, told({ baseDropout: 0.1 })));
  await lossesOf(await newRun(each, told({ epochs: 1 })));
  expect(said).toEqual([
    expect.stringMatching(/cache: off, since (it would save no more|everything that costs)/),
    expect.stringContaining("cache: off, since the base's own dropout"),
    expect.stringContaining("cache: off, since no row is read twice"),
  ]);
});
