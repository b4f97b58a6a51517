import { expect, test } from "vitest";
import { goldenFolder, goldenPath } from "../checkpoints/golden.fake.ts";
import { adapt } from "../peft/adapt.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { deviceNames } from "../runtime/devices.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { compileStep } from "../training/step.ts";
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

test("int8 activations are refused where no weights are in few bits, and never trained with", async () => {
  const path = "models/bert-sequence-classification";
  const engine = { ...nativeEngine(goldenPath(path)), close: async () => undefined };
  const source = { name: "bert", folder: goldenFolder(path), openEngine: async () => engine };
  await expect(openBase(source, { activations: "int8" })).rejects.toThrow(/bert.* no weights in 4 or 8 bits/);
  const misspelt = openBase(source, { activations: "int4" as "int8" });
  await expect(misspelt).rejects.toThrow('activations are "int4"; did you mean "int8"?; types: float32, int8');
  const base = await openBase(source, { activations: "float32" });
  const adapted = adapt(base, [lora.use({})], { task: "classification", labels: 3 });
  const step = compileStep({ ...base.engine, activations: "int8" }, adapted, { dropout: 0, labelSmoothing: 0 });
  await expect(step).rejects.toThrow(/training computes with float32/);
  await base.close();
});
