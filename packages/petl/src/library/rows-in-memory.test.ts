import { join } from "node:path";
import { adaptTo, embed, evaluate, InputError, lora, predict, train } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { loadAdapter } from "./load-adapter.ts";
import { openBase } from "./open-base.ts";
import { openData } from "./open-data.ts";
import { openTiny, testFolder } from "./open-tiny.fake.ts";
import { saveAdapter } from "./save.ts";

const base = await openTiny(testFolder());
afterAll(() => base.close());

const texts = ["a fine film", "a dull film", "what a fine song", "so dull a song"];
const rows = (label: (fine: boolean) => string | number | boolean) =>
  Array.from({ length: 20 }, (_, i) => texts[i % 4] ?? "").map((text) => ({ text, label: label(/fine/.test(text)) }));

async function* streamed<T>(values: Iterable<T>) {
  yield* values;
}

test.each([
  ["numbers", rows((fine) => Number(fine)), [0, 1]],
  ["booleans", rows((fine) => fine), [false, true]],
  ["texts", rows((fine) => (fine ? "01" : "02")), ["01", "02"]],
])("labels come back as they were given: %s", async (_, given, labels) => {
  const data = await openData(streamed(given), base);
  expect(data.labels).toEqual(labels);
  expect([data.train.examples.length, data.validation.examples.length]).toEqual([18, 2]);
  const model = await adaptTo(base, lora({ rank: 2 }), data);
  expect(model.labels).toEqual(labels);
  const folder = join(testFolder(), "adapter");
  await saveAdapter(model, folder);
  expect((await loadAdapter(base, folder)).labels).toEqual(labels);
  const [answer] = await predict(model, ["a fine film"]);
  expect(labels).toContain(answer?.label);
  expect(Object.keys(answer?.scores ?? {})).toEqual(labels.map(String));
});

test("tokens in memory hold out nothing, and splits are taken as they are", async () => {
  const tokens = Array.from({ length: 20 }, (_, i) => ({ inputIds: Int32Array.of(5, 6 + i), label: i % 2 }));
  expect((await openData(tokens, base)).validation.examples).toEqual([]);
  const data = await openData({ train: tokens, validation: tokens.slice(0, 4), test: tokens.slice(4, 6) }, base);
  expect([data.train, data.validation, data.test].map((set) => set?.examples.length)).toEqual([20, 4, 2]);
});

test("calls that come together are answered as each is alone, and so are vectors", async () => {
  const data = await openData(
    rows((fine) => Number(fine)),
    base,
  );
  const model = await adaptTo(base, lora({ rank: 2 }), data);
  const together = await Promise.all(texts.map((text) => predict(model, [text])));
  for (const [i, text] of texts.entries()) {
    const [alone] = await predict(model, [text]);
    expect(together[i]?.[0]?.label).toBe(alone?.label);
    expect(together[i]?.[0]?.score).toBeCloseTo(alone?.score ?? 0, 5); // the batch is padded otherwise
  }
  const vectors = await embed(base, texts);
  expect(vectors.map(({ length }) => length)).toEqual([16, 16, 16, 16]);
});

test("an argument of the wrong kind is refused in words, never by a TypeError", async () => {
  const data = await openData(
    rows((fine) => Number(fine)),
    base,
  );
  const model = await adaptTo(base, lora({ rank: 2 }), data);
  const wrong: readonly unknown[] = [undefined, null, 7, "x", [], {}, [7], () => 1];
  const first = (events: AsyncGenerator<unknown>) => events.next();
  // whatever the types say, plain JavaScript can call with anything
  const any = (value: unknown) => value as never;
  for (const value of wrong) {
    const calls = [
      () => openBase(any(value)),
      () => adaptTo(any(value), lora(), data),
      () => adaptTo(base, any(value), data),
      () => adaptTo(base, lora(), any(value)),
      () => predict(any(value), texts),
      () => evaluate(any(value), data.train),
      () => first(train(any(value), data)),
      () => first(train(model, any(value))),
    ];
    for (const call of calls) await expect(call(), String(call)).rejects.toBeInstanceOf(InputError);
  }
  for (const value of [undefined, 7, "x", {}, [7]])
    await expect(predict(model, any(value))).rejects.toBeInstanceOf(InputError);
  for (const options of [null, 7, { batch: 0 }, { bach: 1 }])
    await expect(predict(model, texts, any(options))).rejects.toBeInstanceOf(InputError);
});
