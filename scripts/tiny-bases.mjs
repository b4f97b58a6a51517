// Untrained bases of two layers of 16, an encoder and a decoder, on which a hundred thousand rows take minutes.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { safetensorsBytes, trainTokenizer, untrainedTensors } from "@petl/core";

const encoder = {
  architectures: ["BertModel"],
  model_type: "bert",
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 64,
  max_position_embeddings: 64,
  initializer_range: 0.05,
  pad_token_id: 0,
};
const decoder = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 96,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  hidden_act: "silu",
  initializer_range: 0.3,
  tie_word_embeddings: false,
};

/** Writes an encoder or a decoder whose tokenizer knows some texts; returns its folder. */
export async function tinyBase(folder, kind, texts) {
  /** @type {import("@petl/core").TokenizerTraining} */
  const learnt =
    kind === "encoder"
      ? { kind: "wordpiece", vocabulary: 160, maxLength: 64 }
      : { kind: "byte-level-bpe", vocabulary: 280, lowercase: false, maxLength: 96 };
  const files = await trainTokenizer(
    (async function* () {
      yield* texts;
    })(),
    learnt,
  );
  const vocab_size = Object.keys(JSON.parse(files["tokenizer.json"]).model.vocab).length;
  const config = { ...(kind === "encoder" ? encoder : decoder), vocab_size };
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries({ ...files, "config.json": JSON.stringify(config) }))
    await writeFile(join(folder, name), text);
  /** @type {import("@petl/core").UntrainedParts} */
  const parts = kind === "encoder" ? { pooler: true } : { head: "causal-lm" };
  await writeFile(join(folder, "model.safetensors"), safetensorsBytes(await untrainedTensors(config, parts, 0)));
  return folder;
}
