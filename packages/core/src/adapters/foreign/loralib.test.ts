import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { diskFolder, distance, goldenBase } from "../../checkpoints/golden.fake.ts";
import { memoryFolder } from "../../containers/folder.ts";
import { torchFileBytes } from "../../containers/torch/torch-writer.ts";
import { adapt } from "../../peft/adapt.ts";
import { initialPhi } from "../../peft/initial-phi.ts";
import type { MethodUse } from "../../peft/method.ts";
import { bitfit } from "../../peft/methods/bitfit.ts";
import { lora } from "../../peft/methods/lora/lora.ts";
import { viewsOf } from "../../peft/phi.ts";
import { float32 } from "../../tensor/host-tensor.ts";
import { readAdapter } from "../adapter-files.ts";
import { putOnBase } from "../adapter-on-base.ts";
import { inferredBase } from "../inferred-base.ts";
import { loralib } from "./loralib.ts";
import { roundTrip } from "./round-trip.fake.ts";

const written = ["bert-lora", "roberta-lora", "distilbert-lora-layers", "gpt2-lora", "llama-lora-all-linear"];
for (const name of [...written, "bert-lora-bias-all", "roberta-lora-bias-only"]) {
  test(`${name}: written for loralib and read again, alpha said anew, Φ has the same bits`, async () => {
    const { before, after, remarks } = await roundTrip(loralib, name, { alpha: 8 });
    const alpha = before.adapted.methods[0]?.options.alpha;
    expect(remarks).toEqual([`loralib's files leave out alpha, which is ${alpha} here`]);
    const [ours, theirs] = [before, after].map(({ adapted, phi }) => viewsOf(adapted.layout, phi.values));
    expect(theirs).toEqual(ours);
  });
}

test("with the alpha that it had, an adapter gives PEFT's logits again", async () => {
  const { logits, wanted } = await roundTrip(loralib, "bert-lora", { alpha: 8 });
  expect(distance(logits, wanted)).toBeLessThan(1e-4); // float32 sums in another order than torch's
});

const given = (tensors: Parameters<typeof torchFileBytes>[0]) =>
  memoryFolder("given", { "adapter.bin": torchFileBytes(tensors) });

test("alpha is asked for, as no file says it", async () => {
  const folder = given([["roberta.encoder.layer.0.attention.self.query.lora_A", float32([1, 2], new Float32Array(2))]]);
  await expect(readAdapter(folder)).rejects.toThrow("given/adapter.bin: loralib's files leave out alpha");
});

test("factors of a fused layer's queries and values, each with rows of its own, become one update of the layer", async () => {
  // rank 1 on queries and values of width 2: y_q += 3 · B_q A_q x, y_v += 3 · B_v A_v x
  const folder = given([
    ["transformer.h.0.attn.c_attn.lora_A", float32([2, 2], Float32Array.of(1, 2, 3, 4))],
    ["transformer.h.0.attn.c_attn.lora_B", float32([4, 1], Float32Array.of(5, 6, 7, 8))],
  ]);
  const adapter = await readAdapter(folder, { alpha: 3 });
  expect(adapter.methods[0]?.options).toMatchObject({ rank: 2, alpha: 6 });
  expect(await adapter.read("transformer.h.0.attn.c_attn.lora_A.weight")).toEqual(Float32Array.of(1, 2, 3, 4));
  expect(await adapter.read("transformer.h.0.attn.c_attn.lora_B.weight")).toEqual(
    Float32Array.of(5, 0, 6, 0, 0, 0, 0, 0, 0, 7, 0, 8),
  );
});

test("layers with alphas of their own are refused", async () => {
  await expect(roundTrip(loralib, "bert-lora-patterns", { alpha: 8 })).rejects.toThrow(
    /loralib has one alpha for all layers; these have/,
  );
});

test("biases are all of the base's or those of LoRA's layers, and there is no file without LoRA", async () => {
  const { base } = await goldenBase("bert-sequence-classification");
  const goal = { task: "classification", labels: 3, trainsHead: true } as const;
  const encode = async (uses: readonly MethodUse[]) => {
    const adapted = adapt(base, uses, goal);
    const phi = await initialPhi(adapted, 1);
    return loralib.encode({ adapted, phi, labels: ["a", "b", "c"] }, { name: "tiny", baseName: "tiny" });
  };
  await expect(encode([lora.use({}), bitfit.use({ targets: "key" })])).rejects.toThrow(/this adapter has others/);
  await expect(encode([bitfit.use({})])).rejects.toThrow("loralib's files hold LoRA, which this adapter has not");
});

const real = fileURLToPath(
  new URL("../../../../../../shared/data/adapters/roberta-base-mnli-loralib", import.meta.url),
);

// the authors' own checkpoint, which is no part of this repository
test.skipIf(!existsSync(real))("the authors' MNLI adapter stands on a base that its own tensors tell", async () => {
  const adapter = await readAdapter(diskFolder(real), { alpha: 16 });
  const { adapted, phi } = await putOnBase(adapter, await inferredBase(adapter));
  expect(adapted.base.model.modelType).toBe("roberta");
  expect(adapted.base.model.sizes).toMatchObject({ layers: 12, hidden: 768 });
  expect(adapted.goal).toMatchObject({ task: "classification", labels: 3, trainsHead: true });
  expect(adapted.layout.length).toBe(52);
  expect(phi.values.length).toBe(12 * 2 * 2 * 8 * 768 + 768 * 768 + 768 + 3 * 768 + 3);
});
