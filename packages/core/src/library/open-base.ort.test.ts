import { expect, test } from "vitest";
import { goldenFolder, goldenPath } from "../checkpoints/golden.fake.ts";
import { deviceNames } from "../runtime/devices.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { openBase } from "./open-base.ts";

test.each([undefined, ...deviceNames])("graphs are written for the device that computes them: %s", async (device) => {
  const path = "models/bert-sequence-classification";
  const engine = { ...nativeEngine(goldenPath(path)), device, close: async () => undefined };
  const base = await openBase({ name: "bert", folder: goldenFolder(path), openEngine: async () => engine });
  const workers = await base.openWorkers(2);
  expect([base.engine, ...workers.engines].map((each) => each.device)).toEqual([device, device, device]);
  await workers.close();
  await base.close();
});
