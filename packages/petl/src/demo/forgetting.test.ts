import { join } from "node:path";
import { adaptTo, full, head, lora } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { openBase } from "../library/open-base.ts";
import { testFolder } from "../library/open-tiny.fake.ts";
import { writeTinyBase } from "../library/tiny-base.fake.ts";
import { hasTime } from "./compare.ts";
import { ownTask } from "./forgetting.ts";

const texts = ["the baker sends bread on monday", "who rang the bell", "a warm coat and a broken lamp"];
const folder = testFolder();
await writeTinyBase(join(folder, "masked"), texts, { head: "masked-lm" });
await writeTinyBase(join(folder, "bare"), texts);
const base = await openBase(join(folder, "masked"), { threads: 1 });
afterAll(() => base.close());
const purpose = { task: "classification", labels: ["a", "b"] } as const;

test.each([
  ["head", head()],
  ["lora, whose B is 0,", lora({ rank: 2, targets: "all-linear" })],
  ["full before its first step", full()],
])("%s has forgotten exactly nothing", async (_, method) => {
  const own = await ownTask(base, texts);
  expect(await own?.lossWith(await adaptTo(base, method, purpose))).toBe(own?.loss);
});

test("a changed body changes the loss; a changed head does not", async () => {
  const own = await ownTask(base, texts);
  const model = await adaptTo(base, full(), purpose);
  const change = (part: string) => {
    for (const { offset, size, ...tensor } of model.phi.layout)
      if (tensor.part === part) model.phi.values.subarray(offset, offset + size).fill(0.02);
  };
  change("head");
  expect(await own?.lossWith(model)).toBe(own?.loss);
  change("base");
  expect(await own?.lossWith(model)).not.toBe(own?.loss);
});

test("a base without a masked-LM head has no such task", async () => {
  const bare = await openBase(join(folder, "bare"), { threads: 1 });
  expect(await ownTask(bare, texts)).toBeUndefined();
  await bare.close();
});

test("one more round of seeds begins only if it ends in time", () => {
  expect(hasTime(30, 1, 75)).toBe(true);
  expect(hasTime(60, 2, 75)).toBe(false);
});
