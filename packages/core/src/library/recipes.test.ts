import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { InputError } from "../errors.ts";
import { adapt } from "../peft/adapt.ts";
import { head } from "../peft/methods/head.ts";
import { readSettings } from "../settings/settings.ts";
import { recipeMethod, recipeSettings, recipeTraining } from "./recipes.ts";

const { base } = await goldenBase("bert-sequence-classification");
const fast = adapt(base, [recipeMethod("fast", base)], { task: "classification", labels: 3 });

test("the fast recipe trains a third of the layers, the top ones, and leaves what is below as it is", () => {
  const layers = fast.layout.flatMap(({ part, layer }) => (part === "adapter" ? [layer] : []));
  const count = Math.ceil(base.model.sizes.layers / 3);
  const top = Array.from({ length: count }, (_, i) => base.model.sizes.layers - count + i);
  expect([...new Set(layers)]).toEqual(top);
});

test("what is named goes first, and the remark says what was chosen and why", () => {
  const { settings, remarks } = recipeTraining("fast", fast, 300, { lr: 1e-4, steps: 7 });
  expect(settings).not.toHaveProperty("lr");
  expect(settings).not.toHaveProperty("epochs");
  expect(settings.batch).toBeGreaterThan(0);
  const epochs = [100, 1000, 100_000].map((rows) => recipeTraining("fast", fast, rows, {}).settings.epochs);
  expect(epochs).toEqual([20, 7, 4]);
  expect(remarks).toEqual([expect.stringMatching(/^recipe fast: LoRA .* layers, .*batch \d+.*; what lies below/)]);
  const other = adapt(base, [head.use({})], { task: "classification", labels: 3 });
  expect(recipeTraining("fast", other, 300, {}).remarks.join()).not.toContain("LoRA");
});

test("a recipe that isn't there is refused with those that are", () => {
  expect(() => readSettings(recipeSettings, { recipe: "fats" })).toThrow(InputError);
  expect(() => readSettings(recipeSettings, { recipe: "fats" })).toThrow(/fast/);
});
