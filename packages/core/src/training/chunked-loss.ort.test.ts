import { describe, expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { collate } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { ignoredLabel } from "../data/rows/examples.ts";
import { nextTokens } from "../data/rows/next-tokens.ts";
import { nodesOf } from "../graph/walk.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { full } from "../peft/methods/full.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { prompt } from "../peft/methods/prompts/prompt.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { random } from "../tensor/random.ts";
import { compileEvaluation } from "./evaluate.ts";
import { minimised } from "./minimised.ts";
import { compileStep } from "./step.ts";

const draw = random(3, "rows");
const vocabulary = 96;
/** Rows of several lengths; of every third token no label is asked for. */
const rows: readonly EncodedExample[] = [11, 4, 7, 2].map((length) => {
  const inputIds = Int32Array.from({ length }, () => 5 + draw.integer(vocabulary - 5));
  const labels = inputIds.map((id, token) => (token % 3 === 2 ? ignoredLabel : id));
  return { inputIds, target: nextTokens({ inputIds, labels }) };
});

const noisyTransform = { rank: 2, alpha: 64, dropout: 0.4, targets: ".*(query|transform.dense)" };
const outputs = { rank: 2, alpha: 32, dropout: 0.3, targets: "q_proj,lm_head" };
const cases = [
  ["an output layer of its own, adapted with dropout", "llama-causal-lm", "causal-lm", lora.use(outputs)],
  ["an output layer that is the table, adapted as a layer", "gemma2-causal-lm", "causal-lm", lora.use(outputs)],
  ["an output layer behind a prompt", "llama-causal-lm", "causal-lm", prompt.use({ tokens: 3, start: "random" })],
  ["an output layer of its own, trained", "llama-causal-lm", "causal-lm", full.use({})],
  ["an output layer that is frozen", "llama-causal-lm", "causal-lm", lora.use({ rank: 2 })],
  ["bounded logits of the table of embeddings, trained", "gemma2-causal-lm", "causal-lm", full.use({})],
  ["a masked LM's transform and bias, trained", "bert-masked-lm", "masked-lm", full.use({})],
  ["dropout in front of a masked LM's transform", "bert-masked-lm", "masked-lm", lora.use(noisyTransform)],
] as const;

describe.each(cases)("%s", (_, name, task, method) => {
  test("loss and gradient in chunks are those of all logits at once, and so is what evaluation counts", async () => {
    const { base, path } = await goldenBase(name);
    const adapted = adapt(base, [method], { task, labels: 1 });
    const phi = await initialPhi(adapted, 0);
    for (const i of phi.values.keys()) phi.values[i]! += 0.02 * Math.sin(i); // so that LoRA's B and A both have gradients
    const batch = collate(rows, base.model.sizes.padId);
    const engine = nativeEngine(path);
    const found = async (rowsAtOnce: number) => {
      const logitsAtOnce = rowsAtOnce * base.model.sizes.vocabulary;
      const step = await compileStep(engine, adapted, { dropout: 0, labelSmoothing: 0.1, logitsAtOnce });
      const scale = { loss: 1 / batch.items, teacher: 0, penalty: 0 };
      const { loss, gradient } = await step.run(batch, phi, scale, 0, new Float32Array(phi.values.length));
      await step.release();
      const evaluation = await compileEvaluation(engine, adapted, { logitsAtOnce });
      const measured = await evaluation.run(phi, rows);
      await evaluation.release();
      return { loss, gradient: gradient.slice(), measured };
    };
    const whole = await found(1000);
    expect(Math.max(...whole.gradient.map(Math.abs))).toBeGreaterThan(1e-3);
    for (const rowsAtOnce of [1, 4]) {
      const parts = await found(rowsAtOnce);
      // float32 sums in another order, and products of other sizes
      expect(parts.loss / whole.loss).toBeCloseTo(1, 6);
      expect(Math.max(...parts.gradient.map((slope, i) => Math.abs(slope - whole.gradient[i]!)))).toBeLessThan(1e-6);
      expect(parts.measured.loss / whole.measured.loss).toBeCloseTo(1, 6);
      expect(parts.measured.accuracy).toBe(whole.measured.accuracy);
    }
  });
});

test("outside the chunks nothing is as wide as the vocabulary but tensors of the model", async () => {
  const { base } = await goldenBase("llama-causal-lm");
  const adapted = adapt(base, [lora.use({ rank: 2 })], { task: "causal-lm", labels: 1 });
  const { loss, right } = minimised(adapted);
  const values = nodesOf([loss, right ?? loss]).flatMap((node) => node.outputs);
  expect(values.filter(({ shape }) => shape.length > 2 && shape.includes(base.model.sizes.vocabulary))).toEqual([]);
});
