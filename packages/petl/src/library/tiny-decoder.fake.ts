import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { safetensorsBytes, trainTokenizer, untrainedTensors } from "@petl/core";

/** Writes an untrained Llama of two layers of 32 whose byte-level tokenizer is learnt from some texts; returns its path. */
export async function writeTinyDecoder(folder: string, texts: readonly string[]): Promise<string> {
  const path = join(folder, "decoder");
  const vocabulary = 280;
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: vocabulary,
    hidden_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 2,
    intermediate_size: 64,
    max_position_embeddings: 64,
    initializer_range: 0.05,
    bos_token_id: 0,
    eos_token_id: 0,
    pad_token_id: 1,
  };
  mkdirSync(path, { recursive: true });
  const files = await trainTokenizer(streamed(texts), {
    kind: "byte-level-bpe",
    vocabulary,
    lowercase: false,
    maxLength: 64,
  });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  const tensors = await untrainedTensors(config, { head: "causal-lm" }, 0);
  writeFileSync(join(path, "model.safetensors"), safetensorsBytes(tensors));
  return path;
}

async function* streamed(texts: readonly string[]) {
  yield* texts;
}
