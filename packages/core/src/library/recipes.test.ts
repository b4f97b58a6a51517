import { expect, test } from "vitest";
import { goldenBase } from "../checkpoints/golden.fake.ts";
import { InputError } from "../errors.ts";
import { adapt } from "../peft/adapt.ts";
import { head } from "../peft/methods/head.ts";
import { readSettings } from "../settings/settings.ts";
import { recipeMethod, recipeSettings, recipeTraining } from "./recipes.ts";

const { base } = await goldenBase("bert-sequence-classification");
const fastOn = (labels: number) => adapt(base, [recipeMethod("fast")], { task: "classification", labels });
const fast = fastOn(3);

test("the fast recipe acts in every layer of the stack, on six matrices each", () => {
  const layers = fast.layout.flatMap(({ part, layer }) => (part === "adapter" && layer !== undefined ? [layer] : []));
  const found = Array.from({ length: base.model.sizes.layers }, (_, at) => layers.filter((layer) => layer === at));
  expect(found.map(({ length }) => length)).toEqual(found.map(() => 2 * 6));
});

test("few rows are seen often, many once, and more labels take more steps", () => {
  const epochs = (labels: number) =>
    [100, 1000, 3000, 100_000].map((rows) => recipeTraining("fast", fastOn(labels), rows, {}).settings.epochs);
  expect(epochs(2)).toEqual([20, 3, 1, 1]);
  expect(epochs(6)).toEqual([20, 5, 2, 1]);
  expect(epochs(150)).toEqual([20, 6, 2, 1]);
});

test("a base whose packed copies would take more than a gigabyte is not packed", () => {
  const { settings } = recipeTraining("fast", fast, 300, {});
  expect(settings.prepack).toBe(true);
  const large = { ...base, model: { ...base.model, sizes: { ...base.model.sizes, layers: 24, hidden: 1024 } } };
  expect(recipeTraining("fast", { ...fast, base: large }, 300, {}).settings).not.toHaveProperty("prepack");
});

test("what is named goes first, and the remark says what was chosen and why", () => {
  const { settings, remarks } = recipeTraining("fast", fast, 300, { lr: 1e-4, steps: 7 });
  expect(settings).not.toHaveProperty("lr");
  expect(settings).not.toHaveProperty("epochs");
  expect(settings).toMatchObject({ batch: 16, warmup: 0 });
  expect(recipeTraining("fast", fast, 3000, { batch: 32 }).settings).toMatchObject({ epochs: 2 });
  expect(remarks).toEqual([expect.stringMatching(/^recipe fast: LoRA .* layers, .*batch 16.*; small steps/)]);
  const other = adapt(base, [head.use({})], { task: "classification", labels: 3 });
  expect(recipeTraining("fast", other, 300, {}).remarks.join()).not.toContain("LoRA");
});

test("a recipe that isn't there is refused with those that are", () => {
  expect(() => readSettings(recipeSettings, { recipe: "fats" })).toThrow(InputError);
  expect(() => readSettings(recipeSettings, { recipe: "fats" })).toThrow(/fast/);
});
