// Writes a base of any shape with random weights, tensor by tensor, so that one larger than memory can be made.
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { adapt, encodeSafetensors, memoryFolder, random, readBase } from "@petl/core";

/** TinyLlama's shape, 1.1 billion parameters (Zhang et al. 2024, arXiv:2401.02385, table 1). */
export const billion = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  torch_dtype: "float32",
  vocab_size: 32000,
  hidden_size: 2048,
  intermediate_size: 5632,
  max_position_embeddings: 2048,
  num_hidden_layers: 22,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  rms_norm_eps: 1e-5,
};

/** A decoder of 134 million parameters. */
export const smallDecoder = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  rms_norm_eps: 1e-5,
  vocab_size: 32000,
  hidden_size: 768,
  intermediate_size: 2048,
  max_position_embeddings: 1024,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  num_key_value_heads: 12,
};

/** The shape of Qwen2's 0.5 billion parameters (Yang et al. 2024, arXiv:2407.10671, table 1). */
export const halfBillion = {
  architectures: ["Qwen2ForCausalLM"],
  model_type: "qwen2",
  vocab_size: 151936,
  hidden_size: 896,
  intermediate_size: 4864,
  max_position_embeddings: 2048,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  tie_word_embeddings: true,
};

/** BERT-base's shape, 110 million parameters (Devlin et al. 2019, arXiv:1810.04805, section 3). */
export const bertBase = {
  architectures: ["BertModel"],
  model_type: "bert",
  vocab_size: 30522,
  hidden_size: 768,
  intermediate_size: 3072,
  max_position_embeddings: 512,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  type_vocab_size: 2,
};

const blockSize = 32;
const bytesOf = (values) => new Uint8Array(values.buffer);
const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

/**
 * Matrices from N(0, 0.02²), drawn once and repeated; vectors are 1. Below 32 bits they are bfloat16; in 4 or 8 the layers'
 * matrices are random blocks at once, of about that size, since there is nothing to keep. A head that the goal needs is not written.
 * @param {Parameters<typeof adapt>[2]} goal
 */
export async function writeRandomBase(folder, config, bits, goal = { task: "causal-lm", labels: 1 }) {
  const held = { quant_method: "petl", bits, block_size: blockSize, relative_error: 0 };
  const dtype = bits === 32 ? "float32" : "bfloat16";
  const blocked = bits < 16;
  const text = JSON.stringify(
    { ...config, torch_dtype: dtype, ...(blocked && { quantization_config: held }) },
    null,
    2,
  );
  const base = await readBase(memoryFolder("random", { "config.json": text }), { weights: false });
  const { modelTensors } = adapt(base, [], goal);
  const drawn = new Float32Array(2 ** 20);
  random(0, "weights").fillNormal(drawn, 0, 0.02);
  const numbers = bits < 32 ? { drawn: upperHalves(drawn), one: 0x3f80 } : { drawn, one: 1 };
  const entries = modelTensors.flatMap(({ name, shape }) =>
    blocked && /layers\..*_proj\.weight$/.test(name)
      ? blocks(name, shape, bits)
      : [floats(name, shape, dtype, numbers)],
  );
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), text);
  const file = await open(join(folder, "model.safetensors"), "w");
  for await (const chunk of encodeSafetensors(entries)) await file.writeFile(chunk);
  await file.close();
}

function floats(name, shape, dtype, { drawn, one }) {
  const bytes = () => {
    const values = new drawn.constructor(sizeOf(shape)).fill(one);
    for (let at = 0; shape.length > 1 && at < values.length; at += drawn.length) {
      values.set(drawn.subarray(0, values.length - at), at);
    }
    return bytesOf(values);
  };
  return { name, shape, dtype, bytes };
}

/** float32 cut to bfloat16 */
const upperHalves = (values) => Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);

function blocks(name, /** @type {readonly number[]} */ [rows, columns], bits) {
  const count = columns / blockSize;
  const packed = [rows, count, (blockSize * bits) / 8];
  const zeros = [rows, (count * bits) / 8];
  const pattern = Uint8Array.from({ length: 2 ** 16 + 1 }, (_, at) => (at * 2654435761) >>> 24);
  const bytes = () => new Uint8Array(sizeOf(packed)).map((_, at) => pattern[at % pattern.length]);
  const scales = () => bytesOf(new Float32Array(rows * count).fill(0.08 / 2 ** bits));
  return [
    { name: `${name}_packed`, shape: packed, dtype: "uint8", bytes },
    { name: `${name}_scale`, shape: [rows, count], dtype: "float32", bytes: scales },
    {
      name: `${name}_zero_point`,
      shape: zeros,
      dtype: "uint8",
      bytes: () => new Uint8Array(sizeOf(zeros)).fill(bits === 4 ? 0x88 : 0x80),
    },
  ];
}
