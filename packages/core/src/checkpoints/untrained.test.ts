import { expect, test } from "vitest";
import { untrainedTensors } from "./untrained.ts";

const config = {
  model_type: "bert",
  vocab_size: 300,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 64,
  max_position_embeddings: 16,
  initializer_range: 0.02,
};
const named = async (...[parts, seed]: [Parameters<typeof untrainedTensors>[1], number]) =>
  new Map(await untrainedTensors(config, parts, seed));

test("matrices are drawn from N(0, initializer_range²), norms are 1 and biases 0", async () => {
  const all = await named({ head: "masked-lm", pooler: true }, 0);
  const biases = [...all.keys()].filter((name) => name.endsWith("bias"));
  expect([biases.length > 0, all.size > 2 * biases.length]).toEqual([true, true]); // norms and tables have no bias of their own
  for (const [name, { data, shape }] of all) {
    const values = Array.from(data, Number);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    if (name.endsWith("bias")) expect(Math.max(...values.map(Math.abs)), name).toBe(0);
    else if (shape.length === 1) expect(new Set(values), name).toEqual(new Set([1]));
    else {
      const error = 5 / Math.sqrt(values.length); // five standard errors, in units of the deviation
      expect(Math.abs(mean) / 0.02, name).toBeLessThan(error);
      expect(Math.abs(deviation / 0.02 - 1), name).toBeLessThan(error);
    }
  }
});

test("the parts are what Hugging Face's classes have", async () => {
  const [lm, pooled] = [await named({ head: "masked-lm" }, 0), await named({ pooler: true }, 0)];
  expect(lm.has("cls.predictions.transform.dense.weight")).toBe(true);
  expect(lm.has("bert.pooler.dense.weight")).toBe(false);
  expect(pooled.has("bert.pooler.dense.weight")).toBe(true);
  expect([...pooled.keys()].some((name) => !name.startsWith("bert."))).toBe(false);
});

test("a tensor depends on the seed and its name alone", async () => {
  const name = "bert.encoder.layer.1.output.dense.weight";
  const [lm, pooled, other] = [
    await named({ head: "masked-lm" }, 3),
    await named({ pooler: true }, 3),
    await named({ pooler: true }, 4),
  ];
  expect(pooled.get(name)).toEqual(lm.get(name));
  expect(other.get(name)).not.toEqual(lm.get(name));
});
