import { expect, test } from "vitest";
import {
  distance,
  goldenBase,
  goldenFolder,
  goldenJson,
  goldenNames,
  logitsOf,
} from "../../../checkpoints/golden.fake.ts";
import { memoryFolder } from "../../../containers/folder.ts";
import { adapt } from "../../../peft/adapt.ts";
import { initialPhi } from "../../../peft/initial-phi.ts";
import { bottleneck } from "../../../peft/methods/bottleneck/bottleneck.ts";
import { parallel } from "../../../peft/methods/bottleneck/parallel.ts";
import { lora } from "../../../peft/methods/lora/lora.ts";
import { methods } from "../../../peft/methods.ts";
import { viewsOf } from "../../../peft/phi.ts";
import { random } from "../../../tensor/random.ts";
import { readAdapter } from "../../adapter-files.ts";
import { loadAdapterFiles, putOnBase } from "../../adapter-on-base.ts";
import { adapterHub } from "./adapterhub.ts";

for (const name of goldenNames("adapterhub")) {
  test(`${name}: what AdapterHub's library wrote gives its logits`, async () => {
    const golden = goldenJson(`adapterhub/${name}/golden.json`);
    const { base, rows, path } = await goldenBase(golden.base);
    const { adapted, phi } = await loadAdapterFiles(goldenFolder(`adapterhub/${name}`), base);
    // float32 sums in another order than torch's; logits are up to 10
    expect(distance(await logitsOf(adapted, phi, rows, path), golden.logits)).toBeLessThan(2e-4);
  });
}

// of GPT-2's LoRA the fused layer came to have a rank of its own, which the library's one rank cannot say
for (const name of goldenNames("adapterhub").filter((each) => each !== "gpt2-lora")) {
  test(`${name}: written for AdapterHub and read again, Φ and the labels are the same`, async () => {
    const { base } = await goldenBase(goldenJson(`adapterhub/${name}/golden.json`).base);
    const before = await loadAdapterFiles(goldenFolder(`adapterhub/${name}`), base);
    const { files } = adapterHub.encode(before, { name: "again", baseName: "tiny" });
    const after = await putOnBase(await readAdapter(memoryFolder("again", files), { base }), base);
    expect(after.labels).toEqual(before.labels);
    expect(viewsOf(after.adapted.layout, after.phi.values)).toEqual(viewsOf(before.adapted.layout, before.phi.values));
  });
}

test("every block of a fused layer gets all rows of A, which computes what the whole layer's update did", async () => {
  const { base, rows, path } = await goldenBase("gpt2-sequence-classification");
  const uses = [lora.use({ rank: 2, alpha: 4 })];
  const adapted = adapt(base, uses, { task: "classification", labels: 3, trainsHead: true });
  const phi = await initialPhi(adapted, 1);
  random(7, "test").fillNormal(phi.values, 0, 0.3);
  const { files } = adapterHub.encode({ adapted, phi, labels: ["a", "b", "c"] }, { name: "again", baseName: "tiny" });
  const after = await putOnBase(await readAdapter(memoryFolder("again", files), { base }), base);
  expect(after.adapted.methods[0]?.options).toMatchObject({ rank: 6, alpha: 12 });
  const wanted = await logitsOf(adapted, phi, rows, path);
  // float32 sums in another order
  expect(distance(await logitsOf(after.adapted, after.phi, rows, path), wanted)).toBeLessThan(1e-4);
});

test.each([
  [bottleneck.use({ size: 4, sizePattern: "layer\\.1\\..*=2", layerNorms: false })],
  [parallel.use({ size: 4, sizePattern: { "layer\\.1\\..*": 2 }, placement: "both", scale: 1 })],
])(
  "bottlenecks of widths of their own are written by layer and read again; each computes as a wider one that is filled up with zeros",
  async (use) => {
    const { base, rows, path } = await goldenBase("bert-sequence-classification");
    const goal = { task: "classification", labels: 3, trainsHead: true } as const;
    const adapted = adapt(base, [use], goal);
    const phi = await initialPhi(adapted, 1);
    random(7, "test").fillNormal(phi.values, 0, 0.3);
    const { files } = adapterHub.encode({ adapted, phi, labels: ["a", "b", "c"] }, { name: "again", baseName: "tiny" });
    const { reduction_factor } = JSON.parse(String(files["adapter_config.json"])).config;
    expect(reduction_factor).toEqual({ "1": 16, default: 8 });
    const after = await putOnBase(await readAdapter(memoryFolder("again", files), { base }), base);
    expect(viewsOf(after.adapted.layout, after.phi.values)).toEqual(viewsOf(adapted.layout, phi.values));
    const wide = adapt(base, [methodNamed(use.name).use({ ...use.options, sizePattern: {} })], goal);
    const filled = await initialPhi(wide, 1);
    const own = viewsOf(adapted.layout, phi.values);
    for (const { name, offset, size, shape } of wide.layout) {
      const [values = new Float32Array(), columns = 1] = [own[name], shape[1]];
      const narrow = name.endsWith("adapter_up.weight") ? values.length / (shape[0] ?? 1) : columns;
      filled.values.fill(0, offset, offset + size);
      for (const [at, value] of values.entries())
        filled.values[offset + Math.floor(at / narrow) * columns + (at % narrow)] = value;
    }
    const wanted = await logitsOf(wide, filled, rows, path);
    // float32 sums in another order
    expect(distance(await logitsOf(after.adapted, after.phi, rows, path), wanted)).toBeLessThan(1e-5);
  },
);

const methodNamed = (name: string) => methods.find((method) => method.name === name) ?? expect.unreachable();
