import { describe, expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { collate } from "../data/batches/collate.ts";
import { packExamples } from "../data/batches/pack-examples.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { nextTokens } from "../data/rows/next-tokens.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { prefix } from "../peft/methods/prompts/prefix.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { random } from "../tensor/random.ts";
import { parseSettings } from "./settings.ts";
import { compileStep } from "./step.ts";
import { type StepEvent, trainSteps } from "./train.ts";

const draw = random(3, "rows");
const rows: readonly EncodedExample[] = [9, 14, 3, 22, 5, 12, 2].map((length) => {
  const inputIds = Int32Array.from({ length }, () => 5 + draw.integer(90));
  return { inputIds, target: nextTokens({ inputIds }) };
});
const low = lora.use({ rank: 2, targets: "all-linear" });

const cases = [
  ["rotary positions", "llama-causal-lm", low],
  ["rotary positions that depend on a text's length", "llama-causal-lm-dynamic", low],
  ["learned positions", "gpt2-causal-lm", low],
  ["windows of attention, bounded scores", "gemma2-causal-lm", low],
  ["long and short frequencies", "phi3-causal-lm-longrope", low],
  ["virtual tokens, which all texts see", "llama-causal-lm", prefix.use({ tokens: 3 })],
] as const;

describe.each(cases)("%s", (_, name, method) => {
  test("packed rows have the loss and the gradient of their texts one by one", async () => {
    const { base, path } = await goldenBase(name);
    const adapted = adapt(base, [method], { task: "causal-lm", labels: 1 });
    const phi = await initialPhi(adapted, 0);
    for (const i of phi.values.keys()) phi.values[i]! += 0.02 * Math.sin(i); // so that LoRA's B and A both have gradients
    const found = async (examples: readonly EncodedExample[], isPacked: boolean) => {
      const step = await compileStep(nativeEngine(path), adapted, { dropout: 0, labelSmoothing: 0, packed: isPacked });
      const batch = collate(examples, base.model.sizes.padId);
      const scale = { loss: 1 / batch.items, teacher: 0, penalty: 0 };
      const { loss, gradient } = await step.run(batch, phi, scale, 0, new Float32Array(phi.values.length));
      await step.release();
      return { loss, gradient: gradient.slice() };
    };
    const packed = packExamples(rows, 30);
    expect(packed.length).toBeLessThan(4);
    const [alone, together] = [await found(rows, false), await found(packed, true)];
    const largest = Math.max(...alone.gradient.map(Math.abs));
    expect(largest).toBeGreaterThan(1e-3);
    // float32 sums over keys that are hidden and add nothing, in another order
    expect(together.loss / alone.loss).toBeCloseTo(1, 6);
    const apart = Math.max(...together.gradient.map((slope, i) => Math.abs(slope - alone.gradient[i]!)));
    expect(apart / Math.max(1, largest)).toBeLessThan(2e-6);
  });
});

test("a run of packed rows takes as many steps as they fill, and learns from every text", async () => {
  const { base, path } = await goldenBase("llama-causal-lm");
  const adapted = adapt(base, [low], { task: "causal-lm", labels: 1 });
  const settings = parseSettings({ epochs: 1, batch: 2, pack: 30 });
  const steps: StepEvent[] = [];
  const run = { engine: nativeEngine(path), adapted, phi: await initialPhi(adapted, 0), examples: rows, settings };
  for await (const event of trainSteps(run)) if (event.kind === "step") steps.push(event);
  expect(steps).toHaveLength(Math.ceil(packExamples(rows, 30).length / 2));
  expect(steps.at(-1)?.tokens).toBe(rows.reduce((sum, { inputIds }) => sum + inputIds.length, 0));
});

test("what can't be packed is refused", async () => {
  const { base, path } = await goldenBase("bert-masked-lm");
  const adapted = adapt(base, [low], { task: "masked-lm", labels: 1 });
  const settings = parseSettings({ pack: 9999 });
  const run = { engine: nativeEngine(path), adapted, phi: await initialPhi(adapted, 0), examples: rows, settings };
  await expect(trainSteps(run).next()).rejects.toThrow(
    /only rows of causal language models are packed; this model is for masked-lm[\s\S]*packed rows of 9999 tokens are longer/,
  );
});
