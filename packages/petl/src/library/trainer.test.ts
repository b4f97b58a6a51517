import { adaptTo, generate, lora, type OpenModel, openTrainer, predict, train } from "@petl/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OpenBase, openBase } from "./open-base.ts";
import { openData } from "./open-data.ts";
import { openTiny, testFolder } from "./open-tiny.fake.ts";
import { writeTinyDecoder } from "./tiny-decoder.fake.ts";

const folder = testFolder();
const rows = ["a fine film", "a dull film", "what a fine song", "so dull a song"].map((text, row) => ({
  text,
  label: row % 2 === 0 ? "good" : "bad",
}));
let base: OpenBase;

beforeAll(async () => {
  base = await openTiny(folder);
});
afterAll(() => base.close());

const fresh = async (): Promise<OpenModel> =>
  adaptTo(base, lora({ rank: 2 }), { task: "classification", labels: ["good", "bad"] }, { seed: 4 });
const settings = { lr: 1e-2, clip: 0.5 };

test("a loop of one's own is the training that train makes, to the bit, also with questions in between and from a state", async () => {
  const model = await fresh();
  const data = await openData(rows, base, { validation: 0, labels: ["good", "bad"] });
  const own = { ...settings, batch: 4, steps: 3, schedule: "constant", shuffle: false, seed: 4 } as const;
  const told: number[] = [];
  for await (const event of train(model, data, own)) if (event.kind === "step") told.push(event.loss, event.grad_norm);
  const other = await fresh();
  await using trainer = await openTrainer(other, settings);
  const found: number[] = [];
  const once = async () => {
    const { loss, losses } = await trainer.forwardBackward(rows);
    expect(losses.reduce((sum, each) => sum + each, 0) / rows.length).toBeCloseTo(loss, 6);
    found.push(loss, (await trainer.step()).gradNorm);
  };
  await once();
  const asked = await predict(other, ["a fine film"]);
  const state = trainer.state();
  for (const _ of [1, 2]) await once();
  expect(found).toEqual(told);
  expect(other.phi.values).toEqual(model.phi.values);
  trainer.restore(state);
  expect(await predict(other, ["a fine film"])).toEqual(asked);
  for (const _ of [1, 2]) await once();
  expect(found.slice(6)).toEqual(told.slice(2));
  expect(trainer.state().step).toBe(3);
});

test("gradients of several calls are that of all their rows, and a step needs one", async () => {
  const [whole, parts] = [await fresh(), await fresh()];
  await using one = await openTrainer(whole, settings);
  await using two = await openTrainer(parts, settings);
  await one.forwardBackward(rows);
  for (const some of [rows.slice(0, 1), rows.slice(1)]) await two.forwardBackward(some);
  const [first, second] = [await one.step({ lr: 0.1 }), await two.step({ lr: 0.1 })];
  expect(second.gradNorm).toBeCloseTo(first.gradNorm, 6);
  for (const [at, value] of whole.phi.values.entries()) expect(parts.phi.values[at]).toBeCloseTo(value, 4);
  await expect(one.step()).rejects.toThrow("no gradient waits for a step");
  await expect(one.forwardBackward([{ text: "x" }])).rejects.toThrow("labels");
});

test("a language model's rows each tell their loss, and it goes on with texts between steps", async () => {
  const decoder = await openBase(await writeTinyDecoder(folder, ["a fine film", "so dull a song"]), { threads: 1 });
  const model = await adaptTo(decoder, lora({ rank: 2 }), { task: "causal-lm", labels: [] });
  const trainer = await openTrainer(model, { lr: 0.05 });
  const before = await trainer.forwardBackward([{ text: "a fine film" }, { text: "so dull a song" }]);
  await trainer.step();
  for await (const token of generate(model, "a fine", { maxTokens: 1 })) expect(Number.isInteger(token.id)).toBe(true);
  const after = await trainer.forwardBackward([{ text: "a fine film" }, { text: "so dull a song" }]);
  expect(before.losses).toHaveLength(2);
  expect(after.loss).toBeLessThan(before.loss);
  await trainer.close();
  await decoder.close();
});
