import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { safetensorsBytes, trainTokenizer, type UntrainedParts, untrainedTensors } from "@petl/core";

/** Writes an untrained BERT of two layers of 16 whose tokenizer knows some texts: an ordinary Hugging Face folder. */
export async function writeTinyBase(
  folder: string,
  texts: readonly string[],
  { head, vocabulary = 120 }: UntrainedParts & { readonly vocabulary?: number } = {},
): Promise<void> {
  const learnt = { kind: "wordpiece", vocabulary, maxLength: 32 } as const;
  const files = await trainTokenizer(streamed(texts), learnt);
  const vocab_size = Object.keys(JSON.parse(files["tokenizer.json"]).model.vocab).length;
  const config = {
    architectures: [head === "masked-lm" ? "BertForMaskedLM" : "BertModel"],
    model_type: "bert",
    vocab_size,
    hidden_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 64,
    max_position_embeddings: 32,
    initializer_range: 0.05,
    pad_token_id: 0,
  };
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries({ ...files, "config.json": JSON.stringify(config) }))
    writeFileSync(join(folder, name), text);
  const tensors = await untrainedTensors(config, { head, pooler: true }, 0);
  writeFileSync(join(folder, "model.safetensors"), safetensorsBytes(tensors));
}

async function* streamed(texts: readonly string[]): AsyncGenerator<string, void, void> {
  yield* texts;
}
