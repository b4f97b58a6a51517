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
import { lora } from "../../../peft/methods/lora/lora.ts";
import { viewsOf } from "../../../peft/phi.ts";
import { random } from "../../../tensor/random.ts";
import { readAdapter } from "../../adapter-files.ts";
import { loadAdapter, putOnBase } from "../../adapter-on-base.ts";
import { adapterHub } from "./adapterhub.ts";

for (const name of goldenNames("adapterhub")) {
  test(`${name}: what AdapterHub's library wrote gives its logits`, async () => {
    const golden = goldenJson(`adapterhub/${name}/golden.json`);
    const { base, rows, path } = await goldenBase(golden.base);
    const { adapted, phi } = await loadAdapter(goldenFolder(`adapterhub/${name}`), base);
    // float32 sums in another order than torch's; logits are up to 10
    expect(distance(await logitsOf(adapted, phi, rows, path), golden.logits)).toBeLessThan(2e-4);
  });
}

// of GPT-2's LoRA the fused layer came to have a rank of its own, which the library's one rank cannot say
for (const name of goldenNames("adapterhub").filter((each) => each !== "gpt2-lora")) {
  test(`${name}: written for AdapterHub and read again, Φ and the labels are the same`, async () => {
    const { base } = await goldenBase(goldenJson(`adapterhub/${name}/golden.json`).base);
    const before = await loadAdapter(goldenFolder(`adapterhub/${name}`), base);
    const { files } = adapterHub.encode(before, { name: "again", baseName: "tiny" });
    const after = await putOnBase(await readAdapter(memoryFolder("again", files), { base }), base);
    expect(after.labels).toEqual(before.labels);
    expect(viewsOf(after.adapted.layout, after.phi.values)).toEqual(viewsOf(before.adapted.layout, before.phi.values));
  });
}

test("every block of a fused layer gets all rows of A, which computes what the whole layer's update did", async () => {
  const { base, rows, path } = await goldenBase("gpt2-sequence-classification");
  const methods = [lora.use({ rank: 2, alpha: 4 })];
  const adapted = adapt(base, methods, { task: "classification", labels: 3, trainsHead: true });
  const phi = await initialPhi(adapted, 1);
  random(7, "test").fillNormal(phi.values, 0, 0.3);
  const { files } = adapterHub.encode({ adapted, phi, labels: ["a", "b", "c"] }, { name: "again", baseName: "tiny" });
  const after = await putOnBase(await readAdapter(memoryFolder("again", files), { base }), base);
  expect(after.adapted.methods[0]?.options).toMatchObject({ rank: 6, alpha: 12 });
  const wanted = await logitsOf(adapted, phi, rows, path);
  // float32 sums in another order
  expect(distance(await logitsOf(after.adapted, after.phi, rows, path), wanted)).toBeLessThan(1e-4);
});
