import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  adaptTo,
  bitfit,
  bottleneck,
  dora,
  embed,
  evaluate,
  InputError,
  ia3,
  lora,
  type MethodUse,
  type OpenModel,
  openTrainer,
  predict,
  prefix,
  random,
  train,
} from "@petl/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bank, openBank } from "./bank.ts";
import { adapterDigest } from "./bank-adapter.ts";
import { rowPrograms } from "./bank-programs.ts";
import { loadAdapter } from "./load-adapter.ts";
import type { OpenBase } from "./open-base.ts";
import { openData } from "./open-data.ts";
import { openTiny, testFolder } from "./open-tiny.fake.ts";
import { saveAdapter } from "./save.ts";

const folder = testFolder();
const texts = ["a fine film", "a dull film", "fine work", "so dull a song", "what a fine song"];
let base: OpenBase;
let bank: Bank;

/** Saves an adapter of numbers from a seed; returns its folder. */
async function drawn(
  name: string,
  method: MethodUse,
  seed: number,
  spread = 0.3,
  labels = ["bad", "good"],
): Promise<string> {
  const model = await adaptTo(base, method, { task: "classification", labels }, { seed });
  const numbers = random(seed, "a test's adapter");
  if (spread !== 0) model.phi.values.set(Array.from(model.phi.values, () => spread * (numbers.uniform() - 0.5)));
  const path = join(folder, name);
  await saveAdapter(model, path);
  return path;
}

beforeAll(async () => {
  base = await openTiny(folder);
  bank = await openBank(base, { resident: 2, maxBatch: 40 });
});
afterAll(async () => {
  await bank.close();
  await base.close();
});

test("a row's answer and its vector are those of its adapter alone, whichever methods, ranks, labels and rows are beside it, in memory or not", async () => {
  const methods = {
    a: lora({ rank: 2 }),
    b: lora({ rank: 3, alpha: 5 }),
    c: bottleneck({ size: 4 }),
    d: ia3(),
    e: bitfit(),
    f: prefix({ tokens: 2 }),
    g: dora({ rank: 2 }),
  };
  const labels = ["bad", "good", "neither", "both"];
  const alone: Record<string, Awaited<ReturnType<typeof predict>>> = {};
  const vectors: Record<string, readonly Float32Array[]> = {};
  for (const [seed, [name, method]] of Object.entries(methods).entries()) {
    const path = await drawn(name, method, seed + 1, 0.3, labels.slice(0, 2 + (seed % 3)));
    await bank.load(name, path);
    const model = await loadAdapter(base, path);
    alone[name] = await predict(model, texts);
    vectors[name] = await embed(model, texts);
  }
  const rows = texts.flatMap((text) => Object.keys(methods).map((adapter) => ({ adapter, text })));
  const answers = await bank.predict(rows);
  const made = await bank.embed([...rows, { adapter: null, text: "a fine film" }]);
  for (const [at, { adapter, text }] of rows.entries()) {
    const expected = alone[adapter]?.[texts.indexOf(text)];
    expect(answers[at]?.label).toBe(expected?.label);
    expect(Object.keys(answers[at]?.scores ?? {})).toEqual(Object.keys(expected?.scores ?? {}));
    expect(answers[at]?.score).toBeCloseTo(expected?.score ?? 0, 5);
    const vector = vectors[adapter]?.[texts.indexOf(text)] ?? expect.unreachable();
    expect(made[at]).toHaveLength(vector.length);
    for (const [i, x] of vector.entries()) expect(Math.abs(x - (made[at]?.[i] ?? 9))).toBeLessThan(1e-5);
  }
  const [plain = expect.unreachable()] = await embed(base, ["a fine film"]);
  for (const [i, x] of plain.entries()) expect(Math.abs(x - (made.at(-1)?.[i] ?? 9))).toBeLessThan(1e-5);
});

test("under a name in use an adapter takes the other's place for what is asked later", async () => {
  const [old, fresh] = [await drawn("old", lora({ rank: 2 }), 11), await drawn("fresh", lora({ rank: 2 }), 12)];
  const entry = await bank.load("x", old);
  const before = bank.predict([{ adapter: "x", text: "fine work" }]);
  const again = await bank.load("x", fresh);
  const [after] = await bank.predict([{ adapter: "x", text: "fine work" }]);
  expect(again.digest).not.toBe(entry.digest);
  expect((await before)[0]?.score).toBeCloseTo(
    (await predict(await loadAdapter(base, old), ["fine work"]))[0]?.score ?? 0,
    5,
  );
  expect(after?.score).toBeCloseTo((await predict(await loadAdapter(base, fresh), ["fine work"]))[0]?.score ?? 0, 5);
  expect(bank.list().filter(({ name }) => name === "x")).toEqual([again]);
});

test("an adapter that cannot serve is refused by name: no effect, no numbers, cut short, pickled", async () => {
  const neutral = await drawn("neutral", lora({ rank: 2 }), 5, 0);
  await expect(bank.load("n", neutral)).rejects.toThrow(/"n".*changes nothing/);
  await bank.load("n", neutral, { neutral: true });
  await bank.unload("n");
  const strange = await drawn("strange", lora({ rank: 2 }), 6, Number.NaN);
  await expect(bank.load("s", strange)).rejects.toThrow(/"s".*NaN/);
  const cut = await drawn("cut", lora({ rank: 2 }), 7);
  const weights = join(cut, "adapter_model.safetensors");
  writeFileSync(weights, readFileSync(weights).subarray(0, -8));
  await expect(bank.load("c2", cut)).rejects.toThrow(/"c2"/);
  const pickled = join(folder, "pickled");
  mkdirSync(pickled);
  writeFileSync(join(pickled, "adapter_model.bin"), "");
  await expect(bank.load("p", pickled)).rejects.toThrow(/"p".*pickle/);
  expect(bank.list().map(({ name }) => name)).not.toContain("c2");
  await expect(bank.predict([{ adapter: "c2", text: "x" }])).rejects.toThrow(/no adapter "c2"/);
});

test("the open model of an adapter is measured and trained as one that was opened from its folder", async () => {
  const path = await drawn("opened", lora({ rank: 2 }), 21);
  await bank.load("opened", path);
  const rows = texts.map((text) => ({ text, label: text.includes("dull") ? "bad" : "good" }));
  const data = await openData(rows, base, { validation: 0, labels: ["bad", "good"] });
  const [held, opened] = [await bank.model("opened"), await loadAdapter(base, path)];
  expect(await evaluate(held, data.train)).toEqual(await evaluate(opened, data.train));
  for (const model of [held, opened]) for await (const _ of train(model, data, { steps: 3, batch: 2, seed: 1 }));
  expect([...held.phi.values]).toEqual([...opened.phi.values]);
  expect(await evaluate(held, data.train)).toEqual(await evaluate(opened, data.train));
});

test("what a bank serves stays what was loaded while its model is trained, which answers as it is after each step", async () => {
  const [path, other] = [await drawn("kept", lora({ rank: 2 }), 24), await drawn("beside", lora({ rank: 2 }), 25)];
  await bank.load("kept", path);
  await bank.load("beside", other);
  const text = "fine work";
  const ask = async (adapter: string | OpenModel) =>
    (
      await bank.predict([
        { adapter, text },
        { adapter: "beside", text },
      ])
    ).map(({ scores }) => scores?.good ?? 0);
  const [before = expect.unreachable(), beside = expect.unreachable()] = await ask("kept");
  const model = await bank.model("kept");
  expect(await ask(model)).toEqual([before, beside]);
  await using trainer = await openTrainer(model, { lr: 0.05 });
  const begun = trainer.state();
  for (let step = 0; step < 3; step++) {
    await trainer.forwardBackward([{ text, label: before > 0.5 ? "bad" : "good" }]);
    await trainer.step();
    const alone = (await predict(model, [text]))[0]?.scores?.good ?? 0;
    expect(Math.abs(alone - before)).toBeGreaterThan(1e-3);
    const [now = 0] = await ask(model);
    expect(Math.abs(now - alone)).toBeLessThan(1e-5);
    expect(await ask("kept")).toEqual([before, beside]);
  }
  trainer.restore(begun);
  expect(Math.abs(((await ask(model))[0] ?? 0) - before)).toBeLessThan(1e-6);
});

test("calls about one name take effect in the order in which they were made", async () => {
  const full = await drawn("large", bottleneck({ size: 64 }), 26);
  const small = await drawn("small", lora({ rank: 1 }), 27);
  const [first, last] = await Promise.all([bank.load("turns", full), bank.load("turns", small)]);
  expect(bank.list().find(({ name }) => name === "turns")).toEqual(last);
  expect(first.digest).not.toBe(last.digest);
  const [again] = await Promise.all([bank.load("turns", full), bank.unload("turns")]);
  expect(again.digest).toBe(first.digest);
  expect(bank.list().map(({ name }) => name)).not.toContain("turns");
});

test("what cannot be a row or a name is refused, each with its place, and a closed bank answers nothing", async () => {
  const rows = [{ adapter: null, text: "fine" }, { text: "x" }, { adapter: null, text: 5 }, null, "abc"];
  const refused = bank.predict(rows as never).catch((error: unknown) => error);
  expect(await refused).toBeInstanceOf(InputError);
  const { problems } = (await refused) as InputError;
  expect(problems.map((problem) => problem.slice(0, 5))).toEqual(["row 1", "row 2", "row 3", "row 4"]);
  await expect(bank.load("", "anywhere")).rejects.toThrow("an adapter's name is");
  const closed = await openBank(base);
  await closed.close();
  await expect(closed.predict([{ adapter: null, text: "fine" }])).rejects.toThrow("the bank is closed");
  await expect(closed.load("a", "anywhere")).rejects.toThrow("the bank is closed");
});

test("an adapter whose only effect is behind the hidden states serves", async () => {
  const pooled = await drawn("pooled", lora({ rank: 2, targets: "pooler.dense" }), 28);
  expect(await bank.load("pooled", pooled)).toMatchObject({ method: "lora" });
  await bank.unload("pooled");
});

test("every file that an adapter is read from is part of its digest, records of its run are not", async () => {
  const at = join(folder, "digested");
  mkdirSync(at);
  const seen = new Set([await adapterDigest(at)]);
  const names = ["adapter_config.json", "adapter_model.safetensors", "lora.gguf", "lora.onnx_adapter", "vocab.txt"];
  for (const [count, name] of names.entries()) {
    for (const content of ["one", "two"]) {
      writeFileSync(join(at, name), content);
      seen.add(await adapterDigest(at));
    }
    expect(seen.size).toBe(1 + 2 * (count + 1));
  }
  for (const name of ["run.json", "metrics.jsonl", "README.md"]) writeFileSync(join(at, name), "told");
  seen.add(await adapterDigest(at));
  expect(seen.size).toBe(1 + 2 * names.length);
});

test("many adapters of one kind answer in one batch as each alone, also when more ask than lie ready", async () => {
  const many = await openBank(base, { resident: 20, maxBatch: 3 });
  const names = Array.from({ length: 8 }, (_, at) => `user-${at}`);
  const alone = new Map<string, Awaited<ReturnType<typeof predict>>>();
  for (const [seed, name] of names.entries()) {
    const path = await drawn(name, lora({ rank: 2 }), 40 + seed);
    await many.load(name, path);
    alone.set(name, await predict(await loadAdapter(base, path), texts));
  }
  const stream = random(9, "a test's rows");
  const rows = Array.from({ length: 60 }, () => ({
    adapter: names[stream.integer(names.length)] ?? "",
    text: texts[stream.integer(texts.length)] ?? "",
  }));
  const answers = await many.predict(rows);
  for (const [at, { adapter, text }] of rows.entries()) {
    const expected = alone.get(adapter)?.[texts.indexOf(text)];
    expect(answers[at]?.label).toBe(expected?.label);
    expect(answers[at]?.score).toBeCloseTo(expected?.score ?? 0, 5);
  }
  await many.close();
});

test("more rows than are computed side by side come back in the order in which they were asked", async () => {
  const programs = rowPrograms(base, 2);
  const models = await Promise.all(
    [61, 62, 63].map(async (seed) =>
      programs.shared(await loadAdapter(base, await drawn(`slot-${seed}`, lora({ rank: 2 }), seed))),
    ),
  );
  const rows = [0, 2, 1, 0, 1, 2].flatMap((at, row) => {
    const model = models[at];
    return model ? [{ model, row: { inputIds: Int32Array.of(2, 3 + row, 4) } }] : [];
  });
  const alone = await Promise.all(rows.map(async (row) => programs.run([row, row], "logits")));
  const together = await programs.run(rows, "logits");
  expect(together).toHaveLength(6);
  for (const [at, prediction] of together.entries())
    for (const [i, x] of prediction.logits.entries()) expect(x).toBeCloseTo(alone[at]?.[0]?.logits[i] ?? 9, 5);
  await programs.release();
});
