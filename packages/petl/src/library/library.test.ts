import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  adaptTo,
  bitfit,
  bottleneck,
  type ExampleSet,
  embed,
  evaluate,
  full,
  head,
  InputError,
  ia3,
  lora,
  type MethodUse,
  predict,
  predictWords,
  prefix,
  RunError,
  type TrainingEvent,
  type TrainOptions,
  train,
  unadapted,
} from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { openBank } from "./bank.ts";
import { loadAdapter } from "./load-adapter.ts";
import { openBase } from "./open-base.ts";
import { openData } from "./open-data.ts";
import { openTiny, testFolder, writeRows } from "./open-tiny.fake.ts";
import { saveAdapter, saveMerged, saveOnnx } from "./save.ts";
import { trainMany } from "./train-many.ts";

const folder = testFolder();
const base = await openTiny(folder);
afterAll(() => base.close());
const weights = () => readFileSync(join(base.path, "model.safetensors"));
const rows = await openData(writeRows(folder, "rows.csv"), base, { validation: 0.25 });
const texts = ["a fine song", "dull, so dull", "what work"];

async function trained(method: MethodUse | readonly MethodUse[], steps = 6) {
  const model = await adaptTo(base, method, rows);
  for await (const _ of train(model, { train: rows.train }, { steps, batch: 6, lr: 1e-2 }));
  return model;
}

test.each([
  ["lora", lora({ rank: 2 })],
  ["bottleneck", bottleneck({ size: 4 })],
  ["prefix", prefix({ tokens: 2 })],
  ["full", full()],
  ["lora and bitfit", [lora({ rank: 2, targets: "all-linear" }), bitfit()]],
] as const)(
  "%s: trained, saved and loaded again it answers and measures bit for bit the same",
  async (name, method) => {
    const before = weights();
    const model = await trained(method);
    const out = join(folder, name);
    const bytes = await saveAdapter(model, out);
    const again = await loadAdapter(base, out);
    expect(again.labels).toEqual(["bad", "good"]);
    expect(await predict(again, texts)).toEqual(await predict(model, texts));
    expect(await evaluate(again, rows.validation)).toEqual(await evaluate(model, rows.validation));
    const file = name === "full" ? "model.safetensors" : "adapter_model.safetensors";
    expect(readFileSync(join(out, file)).length).toBe(bytes);
    expect(weights().equals(before)).toBe(true);
  },
);

test("training learns: after it the rows that it saw are right", async () => {
  const model = await trained(full(), 60);
  expect((await evaluate(model, rows.train)).accuracy).toBe(1);
  const [good, bad] = await predict(model, ["a fine film", "a dull film"]);
  expect([good?.label, bad?.label]).toEqual(["good", "bad"]);
  expect(good?.score).toBe(good?.scores.good);
  expect((good?.scores.good ?? 0) + (good?.scores.bad ?? 0)).toBeCloseTo(1, 12); // a softmax in double precision
});

test("the same arguments train the same bits", async () => {
  const [one, other] = [await trained(lora({ rank: 2 })), await trained(lora({ rank: 2 }))];
  expect(one.phi.values).toEqual(other.phi.values);
});

test("what stays the same is kept from epoch to epoch where asked, and moves no loss by more than rounding", async () => {
  const losses = async (options: TrainOptions) => {
    const model = await adaptTo(base, head(), rows);
    const found: number[] = [];
    for await (const event of train(model, rows, { epochs: 2, batch: 4, ...options }))
      if (event.kind === "step") found.push(event.loss);
    return found;
  };
  const [kept, computed] = [await losses({ cache: "disk", cacheSize: 1e6 }), await losses({ cache: "off" })];
  for (const [step, loss] of computed.entries()) expect(Math.abs(loss - (kept[step] ?? 0))).toBeLessThan(1e-6);
  await expect(losses({ cacheSize: -1 })).rejects.toThrow("`cacheSize` -1 is no size such as 500000");
});

test("several adapters on one open base answer at once as each does alone", async () => {
  const models = [await trained(lora({ rank: 2 })), await trained(ia3()), await trained(full())];
  const alone = [];
  for (const model of models) alone.push(await predict(model, texts));
  expect(await Promise.all(models.map((model) => predict(model, texts)))).toEqual(alone);
  expect(new Set(alone.map((answers) => JSON.stringify(answers))).size).toBe(models.length);
});

test("an aborted training throws its reason behind a last checkpoint, from which it goes on to the same bits", async () => {
  const settings = { steps: 8, batch: 6, lr: 1e-2 };
  const whole = await adaptTo(base, lora({ rank: 2 }), rows);
  for await (const _ of train(whole, rows, settings));
  const parts = await adaptTo(base, lora({ rank: 2 }), rows);
  const ending = new AbortController();
  const told: TrainingEvent[] = [];
  const running = (async () => {
    for await (const event of train(parts, rows, { ...settings, signal: ending.signal })) {
      told.push(event);
      if (event.kind === "step" && event.step === 3) ending.abort(new Error("enough"));
    }
  })();
  await expect(running).rejects.toThrow("enough");
  const last = told.at(-1);
  if (last?.kind !== "checkpoint") throw new Error("an aborted run must end with a checkpoint");
  expect(last.state.step).toBe(3);
  for (const seed of [5, 6]) {
    const rest = await adaptTo(base, lora({ rank: 2 }), rows, { seed });
    for await (const _ of train(rest, rows, { ...settings, resume: last.state })); // a state serves more than once
    expect(rest.phi.values).toEqual(whole.phi.values);
  }
});

test("a merged checkpoint answers alone as base and adapter do together", async () => {
  const model = await trained(lora({ rank: 2, targets: "all-linear" }));
  const out = join(folder, "merged");
  await saveMerged(model, out);
  const merged = await openBase(out, { threads: 1 });
  const answers = await predict(await unadapted(merged), texts);
  expect(answers).toHaveLength(texts.length);
  for (const [i, { label, score }] of (await predict(model, texts)).entries()) {
    expect(answers[i]?.label).toBe(label);
    expect(answers[i]?.score).toBeCloseTo(score ?? 0, 5); // W + BA is rounded to float32 once, Wx + BAx twice
  }
  await merged.close();
});

test("words are answered one by one, and a word behind the cut has no answer", async () => {
  const model = await adaptTo(base, lora({ rank: 2 }), { task: "token-classification", labels: ["thing", "none"] });
  const [answers] = await predictWords(model, [{ words: ["a", "fine", "film"] }], { maxLength: 4 });
  expect(answers?.map((answer) => answer?.label !== undefined)).toEqual([true, true, false]);
  await expect(predict(model, texts)).rejects.toThrow("use predictWords");
});

test("plain text trains a masked LM, and measures it the same way each time", async () => {
  const set = { ...rows.train, examples: texts.map((text) => ({ kind: "text" as const, text })) };
  const model = await adaptTo(base, full(), { task: "masked-lm", labels: [] });
  const before = await evaluate(model, set);
  expect(await evaluate(model, set)).toEqual(before);
  for await (const _ of train(model, { train: set }, { steps: 30, batch: 3, lr: 1e-2 }));
  expect((await evaluate(model, set)).loss).toBeLessThan(before.loss);
});

test("what cannot be trained or asked is refused in words", async () => {
  const model = await adaptTo(base, prefix({ tokens: 2 }), rows);
  const bare: ExampleSet = { ...rows.train, examples: [{ kind: "text" as const, text: "a film" }] };
  const training = async (data: ExampleSet, options: TrainOptions = {}) => {
    for await (const _ of train(model, { train: data }, options));
  };
  await expect(training(bare)).rejects.toThrow("has no labels to learn from");
  await expect(training(rows.train, { maxLength: 31 })).rejects.toThrow("more than the 30 tokens"); // 32 less 2 of the prefix
  await expect(training(rows.train, { batch: 0.5, clip: -1 })).rejects.toThrow(/batch.*\n?.*clip/s);
  await expect(evaluate(model, bare)).rejects.toThrow("has no labels to measure by");
  await expect(predictWords(model, [])).rejects.toThrow("this model is for classification");
  await expect(saveAdapter(model, folder)).rejects.toThrow(InputError); // the folder holds the base
});

test("what grows beyond float32 is no answer and no vector, though every number of the adapter is finite", async () => {
  const out = join(folder, "grown");
  await saveAdapter(await trained(lora({ rank: 2, targets: "all-linear" })), out);
  const config = join(out, "adapter_config.json");
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, "utf8")), lora_alpha: 1e38 }));
  const grown = await loadAdapter(base, out);
  await expect(predict(grown, texts)).rejects.toThrow("text 1: a logit is NaN");
  await expect(embed(grown, texts)).rejects.toThrow("text 1: a number of the vector is NaN");
  await expect(predict(grown, texts)).rejects.toThrow(RunError);
});

test("an argument of the wrong kind is an InputError that names it, whatever is called", async () => {
  const model = await adaptTo(base, head(), rows);
  const wrong = (value: unknown) => value as never;
  const drained = async (events: AsyncIterable<unknown>) => {
    for await (const _ of events);
  };
  const calls: readonly (readonly [name: RegExp, call: (value: never) => Promise<unknown>])[] = [
    [/^model is /, (value) => saveAdapter(value, folder)],
    [/^model is /, (value) => saveMerged(value, folder)],
    [/^model is /, (value) => saveOnnx(value, folder)],
    [/^folder is /, (value) => saveAdapter(model, value)],
    [/^folder is /, (value) => saveMerged(model, value)],
    [/^folder is /, (value) => saveOnnx(model, value)],
    [/^base is /, (value) => openBank(value)],
    [/^users are /, (value) => drained(trainMany(base, value, head()))],
    [/^signal is /, (value) => predict(model, texts, { signal: value })],
    [/^signal is /, (value) => openBase(folder, { signal: value })],
    [/^signal is /, (value) => openData(join(folder, "rows.csv"), base, { signal: value })],
    [/^signal is /, (value) => saveAdapter(model, join(folder, "signal"), { signal: value })],
    [/^signal is /, (value) => drained(train(model, rows, { signal: value }))],
  ];
  for (const [name, call] of calls)
    for (const value of [null, 5, {}, () => 1, Symbol("s"), [undefined]]) {
      const thrown: unknown = await call(wrong(value)).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(InputError);
      expect((thrown as InputError).message).toMatch(name);
    }
  const options = { resident: -1, maxBatch: 1.5, wait: 2 };
  await expect(openBank(base, options)).rejects.toThrow(
    /no option `wait`[\s\S]*`resident` -1 must be at least 0\n`maxBatch` 1.5 is not a whole number/,
  );
});

test("an aborted signal ends what is asked of a base", async () => {
  const ending = new AbortController();
  const own = await openBase(base.path, { threads: 1, signal: ending.signal });
  const model = await adaptTo(own, lora({ rank: 2 }), rows);
  await predict(model, texts);
  ending.abort();
  await expect(predict(model, texts)).rejects.toMatchObject({ name: "AbortError" });
  await own.close();
});
