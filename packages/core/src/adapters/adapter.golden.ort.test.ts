import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import {
  diskFolder,
  distance,
  goldenBase,
  goldenFolder,
  goldenJson,
  goldenNames,
  hasGolden,
  logitsOf,
} from "../checkpoints/golden.fake.ts";
import { readBase } from "../checkpoints/hf-model.ts";
import { gathered } from "../containers/chunks.ts";
import { memoryFolder } from "../containers/folder.ts";
import { readSafetensors } from "../containers/safetensors.ts";
import { readFloat32 } from "../containers/stored-values.ts";
import { encodeMerged } from "../exports/merged.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { methods } from "../peft/methods.ts";
import { viewsOf } from "../peft/phi.ts";
import { nativeEngine } from "../runtime/native.fake.ts";
import { readAdapter } from "./adapter-files.ts";
import { loadAdapterFiles } from "./adapter-on-base.ts";

// float32 sums in another order than torch's; logits are about 1
const tolerance = 1e-4;

for (const name of goldenNames("adapters")) {
  test(`${name}: an adapter that PEFT wrote gives PEFT's logits, merges to PEFT's, and leaves the base's without it`, async () => {
    const golden = goldenJson(`adapters/${name}/golden.json`);
    const { base, rows, path } = await goldenBase(golden.base);
    const { adapted, phi } = await loadAdapterFiles(goldenFolder(`adapters/${name}`), base);
    expect(distance(await logitsOf(adapted, phi, rows, path), golden.logits)).toBeLessThan(tolerance);
    const plain = adapt(base, [], { ...adapted.goal, savedModules: [], trainsHead: false });
    const none = await initialPhi(plain, 0);
    expect(none.values.length).toBe(0);
    expect(distance(await logitsOf(plain, none, rows, path), golden.base_logits)).toBeLessThan(tolerance);
    if (adapted.unmergeable.length > 0) return;
    const folder = mkdtempSync(join(tmpdir(), "petl-merged-"));
    try {
      const files = await encodeMerged(base, { adapted, phi }, nativeEngine(path));
      writeFileSync(join(folder, "config.json"), files["config.json"]);
      writeFileSync(join(folder, "model.safetensors"), await gathered(files["model.safetensors"]));
      const merged = await readBase(diskFolder(folder));
      const model = adapt(merged, [], { ...adapted.goal, savedModules: [], trainsHead: false });
      const wanted = golden.merged_logits ?? golden.logits;
      expect(distance(await logitsOf(model, none, rows, folder), wanted)).toBeLessThan(tolerance);
      await expectMergedTensors(name, folder, golden.base);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

/** What merging changed is PEFT's within rounding (products of rank up to 6 of numbers near 1); the rest is the base's, bit by bit. */
async function expectMergedTensors(name: string, folder: string, base: string) {
  if (!hasGolden(`adapters/${name}/merged.safetensors`)) return;
  const source = await goldenFolder(`adapters/${name}`).open("merged.safetensors");
  const { tensors } = await readSafetensors(source);
  const [merged, original] = await Promise.all([
    openCheckpoint(diskFolder(folder)),
    openCheckpoint(goldenFolder(`models/${base}`)),
  ]);
  for (const [key, tensor] of tensors) {
    const [wanted, got] = [await readFloat32(source, tensor), await merged.readFloat32(key)];
    expect(Math.max(...got.map((value, at) => Math.abs(value - (wanted[at] ?? Number.NaN))))).toBeLessThan(1e-6);
  }
  const untouched = [...original.tensors.keys()].filter((key) => !tensors.has(key));
  expect([...merged.tensors.keys()].sort()).toEqual(
    [...new Set([...original.tensors.keys(), ...tensors.keys()])].sort(),
  );
  for (const key of untouched) expect(await merged.read(key)).toEqual(await original.read(key));
}

for (const name of goldenNames("training").filter((folder) => hasGolden(`training/${folder}/adapter_config.json`))) {
  test(`${name}: an adapter that PEFT wrote before training has a place for every tensor`, async () => {
    const { base } = await goldenBase(goldenJson(`training/${name}.json`).base);
    const { adapted } = await loadAdapterFiles(goldenFolder(`training/${name}`), base);
    expect(name).toContain(adapted.goal.task);
  });
}

for (const name of goldenNames("bottleneck")) {
  test(`${name}: the method gives the logits of its formula in torch`, async () => {
    const golden = goldenJson(`bottleneck/${name}/golden.json`);
    const { base, rows, path } = await goldenBase(golden.base);
    const { form, size, activation, scale } = golden;
    const common = { size, activation };
    const options = form === "parallel" ? { ...common, scale, placement: "both" } : { ...common, placement: form };
    const use = methods
      .find((method) => method.name === (form === "parallel" ? form : "bottleneck"))
      ?.use({
        ...options,
        ...(form === "houlsby" ? { layerNorms: false } : {}),
      });
    const adapted = adapt(base, use ? [use] : [], { task: "classification", labels: 3, trainsHead: false });
    const source = await goldenFolder(`bottleneck/${name}`).open("tensors.safetensors");
    const { tensors } = await readSafetensors(source);
    expect(adapted.layout.map((placed) => placed.name).sort()).toEqual([...tensors.keys()].sort());
    const phi = await initialPhi(adapted, 0);
    const views = viewsOf(adapted.layout, phi.values);
    for (const [key, tensor] of tensors) views[key]?.set(await readFloat32(source, tensor));
    expect(distance(await logitsOf(adapted, phi, rows, path), golden.logits)).toBeLessThan(tolerance);
  });
}

test("a folder of another layout is told from an adapter", async () => {
  await expect(readAdapter(memoryFolder("empty", {}))).rejects.toThrow("holds no adapter; its files: none");
});
