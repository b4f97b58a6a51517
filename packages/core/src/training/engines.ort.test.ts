import { readFileSync } from "node:fs";
import * as web from "onnxruntime-web";
import { expect, test } from "vitest";
import { readBase } from "../checkpoints/hf-model.ts";
import { memoryFolder } from "../containers/folder.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import type { Engine } from "../runtime/session.ts";
import { webEngine } from "../runtime/web.ts";
import { parseSettings } from "./settings.ts";
import { trainSteps } from "./train.ts";

const path = new URL("../../golden/models/bert-sequence-classification/", import.meta.url);
const read = (file: string) => new Uint8Array(readFileSync(new URL(file, path)));
const folder = memoryFolder("base", {
  "config.json": read("config.json"),
  "model.safetensors": read("model.safetensors"),
});

const examples = Array.from({ length: 40 }, (_, row) => ({
  inputIds: Int32Array.from({ length: 3 + (row % 5) }, (_id, i) => (row * 7 + i * 3) % 90),
  target: { kind: "class" as const, id: row % 3 },
}));

async function losses(engine: Engine): Promise<readonly number[]> {
  const adapted = adapt(await readBase(folder), [lora.use({ dropout: 0.1 })], { task: "classification", labels: 3 });
  const run = { engine, adapted, phi: await initialPhi(adapted, 0), examples };
  const found: number[] = [];
  for await (const event of trainSteps({
    ...run,
    settings: parseSettings({ steps: 20, batch: 4, lr: 0.01, baseDropout: 0.1 }),
  })) {
    if (event.kind === "step") found.push(event.loss);
  }
  return found;
}

test("a run has the same losses on onnxruntime-node and onnxruntime-web, dropout included", async () => {
  web.env.wasm.numThreads = 1;
  const native = await losses(nativeEngine(path.pathname));
  const wasm = await losses(webEngine(web, async (file) => read(file)));
  expect(native).toHaveLength(20);
  // the two sum products in different orders; twenty steps carry the difference on
  for (const [step, loss] of native.entries()) expect(Math.abs(loss - (wasm[step] ?? Number.NaN))).toBeLessThan(1e-5);
});
