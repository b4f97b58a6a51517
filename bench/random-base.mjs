// Writes a base of any Llama shape with random weights, tensor by tensor, so that one larger than memory can be made.
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { adapt, encodeSafetensors, memoryFolder, random, readBase } from "@petl/core";

/** TinyLlama's shape, 1.1 billion parameters (Zhang et al. 2024, arXiv:2401.02385, table 1). */
export const billion = {
  ...{ architectures: ["LlamaForCausalLM"], model_type: "llama", torch_dtype: "float32" },
  ...{ vocab_size: 32000, hidden_size: 2048, intermediate_size: 5632, max_position_embeddings: 2048 },
  ...{ num_hidden_layers: 22, num_attention_heads: 32, num_key_value_heads: 4, rms_norm_eps: 1e-5 },
};

/** Matrices from N(0, 0.02²), drawn once and repeated from another place in each tensor; vectors are 1. */
export async function writeRandomBase(folder, config) {
  const text = JSON.stringify(config, null, 2);
  const base = await readBase(memoryFolder("random", { "config.json": text }), { weights: false });
  const { modelTensors } = adapt(base, [], { task: "causal-lm", labels: 1 });
  const drawn = new Float32Array(2 ** 20);
  random(0, "weights").fillNormal(drawn, 0, 0.02);
  const entries = modelTensors.map(({ name, shape }, at) => ({
    ...{ name, shape, dtype: "float32" },
    bytes: () => bytesOf(shape, (i) => (shape.length === 1 ? 1 : drawn[(i + 7919 * at) % drawn.length])),
  }));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), text);
  const file = await open(join(folder, "model.safetensors"), "w");
  for await (const chunk of encodeSafetensors(entries)) await file.writeFile(chunk);
  await file.close();
}

function bytesOf(shape, valueAt) {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < values.length; i++) values[i] = valueAt(i);
  return new Uint8Array(values.buffer);
}
