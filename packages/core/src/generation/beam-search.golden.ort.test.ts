import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadAdapterFiles } from "../adapters/adapter-on-base.ts";
import { diskFolder, goldenFolder, goldenJson, goldenPath } from "../checkpoints/golden.fake.ts";
import { readBase } from "../checkpoints/hf-model.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import type { Continuing } from "./continuing.ts";
import { compileDecoder } from "./decoder.ts";
import { generateBatch } from "./generate.ts";
import { parseGenerationSettings } from "./settings.ts";

const names = readdirSync(goldenPath("beams")).map((file) => file.replace(/\.json$/, ""));
const shared = fileURLToPath(new URL("../../../../../shared/data/checkpoints/", import.meta.url));

/** Where a golden's base lies: it is a tiny one of ours, or a real one that may be absent. */
const pathOf = ({ base }: { readonly base: string }) =>
  existsSync(goldenPath(`models/${base}`)) ? goldenPath(`models/${base}`) : shared + base;

async function opened(name: string, more: object = {}): Promise<Continuing> {
  const { adapter, settings, endings, ...golden } = goldenJson(`beams/${name}.json`);
  const path = pathOf(golden);
  const base = await readBase(diskFolder(path));
  const bare = adapt(base, [], { task: "causal-lm", labels: 1 });
  const { adapted, phi } =
    adapter === null
      ? { adapted: bare, phi: await initialPhi(bare, 0) }
      : await loadAdapterFiles(goldenFolder(adapter), base);
  const parsed = parseGenerationSettings({
    maxTokens: settings["max-tokens"],
    beams: settings.beams,
    lengthPenalty: settings["length-penalty"],
    earlyStopping: settings["early-stopping"],
    noRepeatNgramSize: settings["no-repeat-ngram-size"],
    repetitionPenalty: settings["repetition-penalty"],
    repetitionIgnoresPrompt: settings["repetition-ignores-prompt"],
    ...more,
  });
  return {
    decoder: await compileDecoder(nativeEngine(path), adapted),
    adapted,
    phi,
    settings: parsed,
    endIds: endings,
  };
}

/** The new tokens of each prompt. */
async function idsOf(prompts: readonly (readonly number[])[], options: Continuing) {
  const all: number[][] = prompts.map(() => []);
  const given = prompts.map((prompt) => Int32Array.from(prompt));
  for await (const { row, id } of generateBatch(given, options)) all[row]?.push(id);
  return all;
}

for (const name of names) {
  const golden = goldenJson(`beams/${name}.json`);
  test.skipIf(!existsSync(pathOf(golden)))(
    `${name}: the texts that are found together are those of Python (skipped where ../shared/data is needed and absent)`,
    async () => {
      expect(await idsOf(golden.prompts, await opened(name))).toEqual(golden.ids);
    },
  );
}

test.each(["phi3-ignores-prompt", "qwen3-lora-ignores-prompt"])(
  "%s: with its prompt counted other texts are found",
  async (name) => {
    const { prompts, ids } = goldenJson(`beams/${name}.json`);
    expect(await idsOf(prompts, await opened(name, { repetitionIgnoresPrompt: false }))).not.toEqual(ids);
  },
);

test("texts that are found one by one are those that are found together, also with stop texts", async () => {
  const { prompts } = goldenJson("beams/llama.json");
  const decode = (ids: readonly number[]) => ids.map((id) => `${id} `).join("");
  const [first] = await idsOf(prompts, await opened("llama"));
  const options = { ...(await opened("llama", { stop: [`${first?.[1]} `] })), decode };
  const together = await idsOf(prompts, options);
  for (const [row, prompt] of prompts.entries()) expect(await idsOf([prompt], options)).toEqual([together[row]]);
  expect(together).not.toEqual(await idsOf(prompts, await opened("llama")));
});

test("what is found is likelier than the greedy text of as many tokens", async () => {
  const { prompts } = goldenJson("beams/mistral.json");
  const usual = { lengthPenalty: undefined, noRepeatNgramSize: undefined };
  const options = { ...(await opened("mistral", usual)), endIds: [] };
  const greedy = { ...(await opened("mistral", { ...usual, beams: 1 })), endIds: [] };
  const [found, likeliest] = [await idsOf(prompts, options), await idsOf(prompts, greedy)];
  for (const [row, prompt] of prompts.entries()) {
    const [better, worse] = [found[row] ?? [], likeliest[row] ?? []];
    expect(await logProbability(prompt, better, options)).toBeGreaterThan(await logProbability(prompt, worse, options));
  }
});

/** log p(ids | prompt) */
async function logProbability(prompt: readonly number[], ids: readonly number[], options: Continuing) {
  const decoding = await options.decoder.begin([prompt], options.phi);
  let [row = new Float32Array(), sum] = [(await decoding.next())[0], 0];
  for (const id of ids) {
    sum += (row[id] ?? Number.NaN) - Math.log(row.reduce((all, each) => all + Math.exp(each), 0));
    [row = new Float32Array()] = await decoding.next([{ row: 0, id }]);
  }
  return sum;
}

test("beams draw no tokens, and what is for beams needs them; all of it is refused at once", () => {
  expect(() => parseGenerationSettings({ beams: 2, temperature: 0.5, topK: 3 })).toThrow(
    "`temperature` draws tokens, and beams draw none\n`topK` draws tokens, and beams draw none",
  );
  expect(() => parseGenerationSettings({ lengthPenalty: 2, earlyStopping: true })).toThrow(
    "`lengthPenalty` is for beams; give 2 or more\n`earlyStopping` is for beams; give 2 or more",
  );
  expect(parseGenerationSettings({ beams: 2, temperature: 0 }).beams).toBe(2);
  expect(() => parseGenerationSettings({ repetitionIgnoresPrompt: true })).toThrow(
    "`repetitionIgnoresPrompt` is for repetition; give its penalty, or the size of n-grams that never come twice",
  );
});
