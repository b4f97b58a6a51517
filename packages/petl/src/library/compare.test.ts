import { adaptTo, compare, evaluate, InputError, lora, train } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { openData } from "./open-data.ts";
import { openTiny, testFolder, writeRows } from "./open-tiny.fake.ts";

const folder = testFolder();
const base = await openTiny(folder);
afterAll(() => base.close());
const data = await openData(writeRows(folder, "rows.csv"), base, { validation: 0 });
const untrained = await adaptTo(base, lora({ rank: 2 }), data);
const trained = await adaptTo(base, lora({ rank: 2 }), data);
for await (const _ of train(trained, { train: data.train }, { steps: 60, batch: 12, lr: 3e-2 }));

test("two models are compared row by row, by the numbers that each has alone", async () => {
  const found = await compare([untrained, trained], data.train);
  expect(found.first).toEqual(await evaluate(untrained, data.train));
  expect(found.second).toEqual(await evaluate(trained, data.train));
  const { both_right = 0, only_first = 0, only_second = 0, both_wrong = 0 } = found.rows ?? {};
  expect(both_right + only_first + only_second + both_wrong).toBe(24);
  expect((both_right + only_second) / 24).toBe(found.second.accuracy);
  expect(found.difference.value).toBeCloseTo((only_second - only_first) / 24, 12);
  expect(found).toMatchObject({ score_name: "accuracy", test: "mcnemar", differs: true });
});

test("a model does not differ from itself", async () => {
  const found = await compare([trained, trained], data.train);
  expect(found).toMatchObject({ p: 1, differs: false, difference: { value: 0, interval: [0, 0] } });
});

test("models of different tasks are not compared", async () => {
  const regression = await adaptTo(base, lora({ rank: 2 }), { task: "regression", labels: [] });
  await expect(compare([trained, regression], data.train)).rejects.toThrow(InputError);
});
