import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { loadAdapterFiles } from "../adapters/adapter-on-base.ts";
import { goldenBase, goldenFolder, goldenJson, goldenPath } from "../checkpoints/golden.fake.ts";
import type { HfModel } from "../checkpoints/hf-model.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import type { Continuing } from "./continuing.ts";
import { compileDecoder } from "./decoder.ts";
import { generateBatch } from "./generate.ts";
import { parseGenerationSettings } from "./settings.ts";

const names = readdirSync(goldenPath("generation"))
  .map((file) => file.replace(/\.json$/, ""))
  .filter((name) => name !== "sampling");

async function modelOf(base: HfModel, adapter: string | null) {
  if (adapter !== null) return loadAdapterFiles(goldenFolder(adapter), base);
  const adapted = adapt(base, [], { task: "causal-lm", labels: 1 });
  return { adapted, phi: await initialPhi(adapted, 0) };
}

async function opened(name: string, more: object = {}): Promise<Continuing> {
  const { base: folder, adapter, flags } = goldenJson(`generation/${name}.json`);
  const { base, path } = await goldenBase(folder);
  const { adapted, phi } = await modelOf(base, adapter);
  const penalty = flags["repetition-penalty"] ?? 1;
  const settings = parseGenerationSettings({ maxTokens: flags["max-tokens"], repetitionPenalty: penalty, ...more });
  return { decoder: await compileDecoder(nativeEngine(path), adapted), adapted, phi, settings, endIds: [] };
}

/** The new tokens of each prompt. */
async function idsOf(prompts: readonly (readonly number[])[], options: Continuing, first = 0) {
  const all: number[][] = prompts.map(() => []);
  const given = prompts.map((prompt) => Int32Array.from(prompt));
  for await (const { row, id } of generateBatch(given, options, first)) all[row]?.push(id);
  return all;
}

test.each(names)("%s: prompts of several lengths, together, go on as in Python", async (name) => {
  const { prompts, ids } = goldenJson(`generation/${name}.json`);
  expect(await idsOf(prompts, await opened(name))).toEqual(ids);
});

test("drawn tokens are those of the seed, whatever prompts are beside a prompt", async () => {
  const { prompts } = goldenJson("generation/llama.json");
  const options = await opened("llama", { temperature: 1.5, topK: 20, seed: 3 });
  const together = await idsOf(prompts, options);
  for (const [row, prompt] of prompts.entries()) expect(await idsOf([prompt], options, row)).toEqual([together[row]]);
  expect(await idsOf(prompts, await opened("llama", { temperature: 1.5, topK: 20, seed: 4 }))).not.toEqual(together);
});

test("a prompt that may be repeated takes nothing from the first new token", async () => {
  const { prompts, ids } = goldenJson("generation/llama.json");
  // with so large a penalty no token that is looked at is the likeliest
  const penalty = { repetitionPenalty: 1e6, maxTokens: 1 };
  const firsts = ids.map(([first]: readonly number[]) => [first]);
  const given = prompts.map((prompt: readonly number[], row: number) => [...prompt, ...ids[row]]);
  expect(await idsOf(prompts, await opened("llama", { ...penalty, repetitionIgnoresPrompt: true }))).toEqual(firsts);
  for (const [row, [id]] of (await idsOf(given, await opened("llama", penalty))).entries())
    expect(given[row]).not.toContain(id);
});

test("a text ends with a token that ends texts, and says why it ended", async () => {
  const { prompts, ids } = goldenJson("generation/llama.json");
  const options = { ...(await opened("llama")), endIds: [ids[1][4]] };
  const ends: (string | undefined)[] = [];
  const given = prompts.map((prompt: readonly number[]) => Int32Array.from(prompt));
  for await (const { row, end } of generateBatch(given, options)) if (end) ends[row] = end;
  const found = await idsOf(prompts, options);
  expect(found[1]).toEqual(ids[1].slice(0, ids[1].indexOf(ids[1][4]) + 1));
  expect(ends[1]).toBe("end of text");
  expect(ends.every((end) => end === "end of text" || end === "length")).toBe(true);
});

test("what can't be gone on with is refused, all of it at once", async () => {
  const options = await opened("gpt2", { stop: ["."] });
  const run = idsOf([[], Array.from({ length: 64 }, () => 7)], options);
  await expect(run).rejects.toThrow(
    "prompt 1 is empty\nprompt 2 has 64 tokens; the model takes 64, new ones included\nstop texts need a tokenizer",
  );
  const { base } = await goldenBase("llama-sequence-classification");
  const adapted = adapt(base, [], { task: "classification", labels: 3 });
  const wrong = compileDecoder(nativeEngine(goldenPath("models/llama-sequence-classification")), adapted);
  await expect(wrong).rejects.toThrow("only causal language models go on with texts; this model is for classification");
});
