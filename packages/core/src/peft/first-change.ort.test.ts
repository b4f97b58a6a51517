import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { random } from "../tensor/random.ts";
import { compileRows, inputOf } from "../training/row-program.ts";
import { type AdaptedModel, adapt } from "./adapt.ts";
import { firstChanged } from "./first-change.ts";
import type { Goal } from "./goal.ts";
import { initialPhi } from "./initial-phi.ts";
import { lora } from "./methods/lora/lora.ts";
import { llamaAdapter } from "./methods/prompts/llama-adapter.ts";
import { prefix } from "./methods/prompts/prefix.ts";
import { prompt } from "./methods/prompts/prompt.ts";
import { methods } from "./methods.ts";

const goal: Goal = { task: "classification", labels: 3 };
const { base, path } = await goldenBase("bert-base");
const engine = nativeEngine(path);
const decoder = await goldenBase("llama-sequence-classification");
const row = { inputIds: Int32Array.of(5, 17, 9, 40) };

/** What every linear layer in front of the last hidden states reads of the row with an adapter whose numbers are a little off their start. */
async function read(adapted: AdaptedModel, on = engine): Promise<ReadonlyMap<string, Float32Array>> {
  const phi = await initialPhi(adapted, 3);
  const stream = random(3, "another adapter");
  const values = phi.values.map((value) => value + 0.1 * (stream.uniform() - 0.5));
  const found = new Map<string, Float32Array>();
  const layers = [...adapted.forward().layerInputs.keys()].filter((layer) => /layer/.test(layer));
  for (const layer of layers) {
    const program = await compileRows(on, adapted, inputOf(layer));
    const [prediction] = await program.run({ ...phi, values }, [row]);
    found.set(layer, prediction!.logits);
    await program.release();
  }
  return found;
}

const plain = await read(adapt(base, [], goal));
const apart = [prompt.name, prefix.name, llamaAdapter.name]; // no llama-adapter acts on BERT
const uses = [
  ...methods.filter(({ name }) => !apart.includes(name)).map((method) => method.use({})),
  prefix.use({ positions: "unshifted" }),
  lora.use({ targets: "intermediate.dense" }),
  lora.use({ layers: "1" }),
  lora.use({ targets: "bert.pooler.dense" }),
  lora.use({ targets: "output.dense", layers: "1" }),
];

test.each(uses.map((use) => [use.name, JSON.stringify(use.options), use] as const))(
  "of what layers read, %s %s changes that of the first changed one, and nothing in front of it",
  async (_name, _options, use) => {
    const adapted = adapt(base, [use], goal);
    const changed = [...(await read(adapted))].find(([layer, values]) => String(values) !== String(plain.get(layer)));
    expect(firstChanged(adapted)).toBe(changed?.[0]);
  },
);

test("a llama-adapter, whose own vectors pass through keys and values, is looked for in what the base's rows bring there", async () => {
  const on = nativeEngine(decoder.path);
  const plainly = await read(adapt(decoder.base, [], goal), on);
  const adapted = adapt(decoder.base, [llamaAdapter.use({})], goal);
  const found = await read(adapted, on);
  for (const [layer, values] of found) expect(values.length, layer).toBe(plainly.get(layer)?.length);
  const changed = [...found].find(([layer, values]) => String(values) !== String(plainly.get(layer)));
  expect(firstChanged(adapted)).toBe(changed?.[0]);
});

test("a prompt has none, since rows are longer behind it", () => {
  expect(firstChanged(adapt(base, [prompt.use({ tokens: 2 })], goal))).toBeUndefined();
});
