import { expect, test } from "vitest";
import { memorySource } from "../folder.ts";
import { distance } from "../golden.fake.ts";
import { readSafetensors } from "../safetensors.ts";
import { mlx } from "./mlx.ts";
import { roundTrip } from "./round-trip.fake.ts";

for (const name of ["llama-lora", "qwen3-lora", "gemma2-lora"]) {
  test(`${name}: written for mlx-lm and read again, the adapter gives PEFT's logits`, async () => {
    const { after, logits, wanted } = await roundTrip(mlx, name);
    expect(after.adapter.baseName).toBe("somebody/tiny");
    expect(distance(logits, wanted)).toBeLessThan(1e-4); // float32 sums in another order than torch's
  });
}

test("factors lie transposed behind the layers' paths, and the configuration names the layers within a block", async () => {
  const { before, files } = await roundTrip(mlx, "qwen3-lora");
  const config = JSON.parse(String(files["adapter_config.json"]));
  const { rank, alpha } = before.adapted.methods[0]?.options ?? {};
  expect(config).toMatchObject({ fine_tune_type: "lora", num_layers: 2 });
  expect(config.lora_parameters).toMatchObject({ rank, scale: Number(alpha) / Number(rank) });
  const weights = files["adapters.safetensors"];
  const { tensors } = await readSafetensors(
    memorySource("m", weights instanceof Uint8Array ? weights : new Uint8Array()),
  );
  for (const [name, { shape }] of tensors) {
    const [, layer, key, half] = /^model\.layers\.(\d)\.(.*)\.lora_([ab])$/.exec(name) ?? [];
    expect(config.lora_parameters.keys).toContain(key);
    expect([layer === "0" || layer === "1", shape[half === "a" ? 1 : 0]]).toEqual([true, rank]);
  }
});

test("other architectures and heads are refused", async () => {
  await expect(roundTrip(mlx, "bert-lora")).rejects.toThrow(/not for bert/);
  await expect(roundTrip(mlx, "llama-text-lora")).rejects.toThrow(
    /mlx-lm holds LoRA on linear layers alone; this adapter has a head/,
  );
});
