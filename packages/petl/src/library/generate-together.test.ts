import { join } from "node:path";
import {
  adaptTo,
  bottleneck,
  complete,
  type GenerateOptions,
  generate,
  lora,
  type MethodUse,
  type OpenModel,
  predictionsOf,
  prefix,
  random,
  unadapted,
} from "@petl/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OpenBase, openBase } from "./open-base.ts";
import { testFolder } from "./open-tiny.fake.ts";
import { quantize } from "./quantize.ts";
import { writeTinyDecoder } from "./tiny-decoder.fake.ts";

const folder = testFolder();
const prompts = ["a fine", "so dull a song, so fine", "film", "what", "a dull film is a song"];
let base: OpenBase;
let models: readonly OpenModel[];
let path: string;

/** An adapter of numbers from a seed, large enough to be told from others. */
async function drawn(method: MethodUse, seed: number): Promise<OpenModel> {
  const model = await adaptTo(base, method, { task: "causal-lm", labels: [] });
  const numbers = random(seed, "a test's adapter");
  model.phi.values.set(model.phi.values.map((value) => value + 0.8 * (numbers.uniform() - 0.5)));
  return model;
}

beforeAll(async () => {
  path = await writeTinyDecoder(folder, ["a fine film", "so dull a song", "what"]);
  base = await openBase(path, { threads: 1 });
  const uses = [lora({ rank: 2 }), lora({ rank: 4, alpha: 3 }), bottleneck({ size: 3 }), prefix({ tokens: 2 })];
  models = [await unadapted(base), ...(await Promise.all(uses.map((use, seed) => drawn(use, seed + 1))))];
});
afterAll(() => base.close());

async function idsOf(tokens: AsyncIterable<{ readonly id: number }>): Promise<readonly number[]> {
  const ids: number[] = [];
  for await (const { id } of tokens) ids.push(id);
  return ids;
}

/** What a prompt alone becomes. */
async function alone(model: OpenModel, prompt: string, options: GenerateOptions): Promise<readonly number[]> {
  for await (const { ids } of complete(model, [prompt], options)) return ids;
  return [];
}

test("texts of other adapters, lengths and settings that come and go are each what they are alone, token by token", async () => {
  const rows = prompts.flatMap((prompt, at) =>
    models.map((model, which) => {
      const options = { maxTokens: 3 + ((at * 3 + which) % 9), ...(at % 2 === 1 && { temperature: 0.9, seed: at }) };
      return { model, prompt, options };
    }),
  );
  const found = await Promise.all(
    rows.map(async ({ model, prompt, options }, at) => {
      // later ones join when the first are under way
      for (let turn = 0; turn < at % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
      return idsOf(generate(model, prompt, options));
    }),
  );
  expect(found.filter((ids) => ids.length === 0)).toEqual([]);
  for (const [at, { model, prompt, options }] of rows.entries())
    expect(found[at], `${prompt} ${at}`).toEqual(await alone(model, prompt, options));
});

test("a text that nobody wants any more leaves the others as they are, and an aborted one ends with the reason", async () => {
  const [plain, first] = models;
  if (!plain || !first) throw new Error("there are models");
  const abort = new AbortController();
  const options = { maxTokens: 12 };
  const [stays, aborted] = [
    idsOf(generate(first, "a fine", options)),
    idsOf(generate(plain, "so dull", { maxTokens: 60, signal: abort.signal })),
  ];
  for await (const _ of generate(first, "what", options)) break;
  abort.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
  expect(await stays).toEqual(await alone(first, "a fine", options));
});

test("numbers that have changed are seen by the next text, also by one that joins others", async () => {
  const [model, fresh] = await Promise.all([20, 21].map((seed) => drawn(lora({ rank: 2 }), seed)));
  const other = models[2];
  if (!model || !fresh || !other) throw new Error("there are models");
  const options = { maxTokens: 8 };
  const before = await idsOf(generate(model, "what", options));
  const long = idsOf(generate(other, "a fine", { maxTokens: 40 }));
  expect(await idsOf(generate(model, "what", options))).toEqual(before); // beside the long one
  model.phi.values.set(fresh.phi.values);
  const now = await alone(fresh, "what", options);
  expect(now).not.toEqual(before);
  expect(await idsOf(generate(model, "what", options))).toEqual(now);
  expect(await long).toEqual(await alone(other, "a fine", { maxTokens: 40 }));
  expect(await idsOf(generate(model, "what", options))).toEqual(now);
});

test.each([4, 8] as const)(
  "a base in %i bits goes on with the tokens that its forward pass finds likeliest",
  async (bits) => {
    await quantize(path, join(folder, `in ${bits} bits`), { bits, blockSize: 16 });
    await using held = await openBase(join(folder, `in ${bits} bits`), { threads: 1 });
    const model = await unadapted(held);
    const prompt = [5, 90, 33, 270, 12];
    const ids = await idsOf(generate(model, prompt, { maxTokens: 6 }));
    expect(ids).toHaveLength(6);
    const row = { inputIds: Int32Array.from([...prompt, ...ids]) };
    for await (const { shape, logits } of predictionsOf(model, [row], { batch: 1 })) {
      const size = shape.at(-1) ?? 0;
      for (const [at, id] of ids.entries()) {
        const scores = logits.subarray((prompt.length - 1 + at) * size, (prompt.length + at) * size);
        expect(scores[id]).toBeCloseTo(Math.max(...scores), 5); // rounding differs with and without a cache
      }
    }
  },
);
