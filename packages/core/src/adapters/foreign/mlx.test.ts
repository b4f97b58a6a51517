import { expect, test } from "vitest";
import { distance, goldenBase } from "../../checkpoints/golden.fake.ts";
import { memoryFolder, memorySource } from "../../containers/folder.ts";
import { readSafetensors } from "../../containers/safetensors.ts";
import { adapt } from "../../peft/adapt.ts";
import { initialPhi } from "../../peft/initial-phi.ts";
import type { MethodUse } from "../../peft/method.ts";
import { dora } from "../../peft/methods/lora/dora.ts";
import { lora } from "../../peft/methods/lora/lora.ts";
import { readAdapter } from "../adapter-files.ts";
import { mlx } from "./mlx.ts";
import { roundTrip } from "./round-trip.fake.ts";

for (const name of ["llama-lora", "qwen3-lora", "gemma2-lora", "llama-dora"]) {
  test(`${name}: written for mlx-lm and read again, the adapter gives PEFT's logits`, async () => {
    const { read, logits, wanted } = await roundTrip(mlx, name);
    expect(read.baseName).toBe("somebody/tiny");
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

test("DoRA's lengths stand beside the factors, and without fine_tune_type dora they have no place", async () => {
  const { files } = await roundTrip(mlx, "llama-dora");
  const config = JSON.parse(String(files["adapter_config.json"]));
  expect(config.fine_tune_type).toBe("dora");
  const saying = (type: string, more = {}) =>
    memoryFolder("given", {
      ...files,
      "adapter_config.json": JSON.stringify({ ...config, fine_tune_type: type, ...more }),
    });
  await expect(readAdapter(saying("lora"))).rejects.toThrow(/\.m" is no part of lora on a linear layer/);
  await expect(readAdapter(saying("full", { lora_parameters: null }))).rejects.toThrow(
    'given: fine_tune_type "full" is not supported; petl reads "lora" and "dora"',
  );
  await expect(readAdapter(saying("dora", { lora_parameters: null }))).rejects.toThrow("lora_parameters: is null");
});

test("scales of layers' own are multiplied into their factors, ranks of their own and other methods are refused", async () => {
  const { base } = await goldenBase("llama-causal-lm");
  const encode = async (uses: readonly MethodUse[]) => {
    const adapted = adapt(base, uses, { task: "causal-lm", labels: 0, trainsHead: false });
    const phi = await initialPhi(adapted, 1);
    return mlx.encode({ adapted, phi, labels: [] }, { name: "tiny", baseName: "tiny" });
  };
  const { files } = await encode([lora.use({ rank: 4, alpha: 8, alphaPattern: { v_proj: 4 } })]);
  expect(JSON.parse(String(files["adapter_config.json"])).lora_parameters).toMatchObject({ rank: 4, scale: 2 });
  const silent = await encode([lora.use({ rank: 4, alpha: 0, alphaPattern: { v_proj: 4 } })]); // no factor is of scale 0
  expect(JSON.parse(String(silent.files["adapter_config.json"])).lora_parameters).toMatchObject({ rank: 4, scale: 1 });
  await expect(encode([lora.use({ rank: 4, rankPattern: { v_proj: 2 } })])).rejects.toThrow(
    "mlx-lm has one rank for all layers; these have 4, 2",
  );
  await expect(encode([lora.use({ targets: "q_proj" }), dora.use({ targets: "v_proj" })])).rejects.toThrow(
    "mlx-lm holds DoRA on linear layers alone; this adapter has the method lora",
  );
});

test("other architectures and heads are refused", async () => {
  await expect(roundTrip(mlx, "bert-lora")).rejects.toThrow(/not for bert/);
  await expect(roundTrip(mlx, "llama-text-lora")).rejects.toThrow(
    /mlx-lm holds LoRA on linear layers alone; this adapter has a head/,
  );
});
