import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type AdaptedModel, type Phi, safetensorsBytes, tensorsOf, untrainedTensors } from "@petl/core";
import { writeFileSafely } from "../safe-write.ts";

/** The sizes of a base that is made in a moment. */
export interface TinySizes {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly maxTokens: number;
}

/**
 * Writes an untrained BERT (config.json, vocab.txt, model.safetensors: an ordinary Hugging Face folder) whose
 * vocabulary is the stems and endings of the words of some texts, and characters for all other words. Weights are drawn from N(0, 0.05²),
 * layer norms begin at 1, biases at 0. The same seed gives the same bytes.
 */
export async function writeTinyBase(
  folder: string,
  texts: readonly string[],
  { layers, hidden, heads, maxTokens }: TinySizes,
  seed: number,
): Promise<void> {
  const vocabulary = vocabularyOf(texts);
  const config = {
    architectures: ["BertModel"],
    model_type: "bert",
    vocab_size: vocabulary.length,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: 4 * hidden,
    max_position_embeddings: maxTokens,
    initializer_range: 0.05,
    pad_token_id: 0,
  };
  await mkdir(folder, { recursive: true });
  const write = (name: string, text: string) => writeFileSafely(join(folder, name), [new TextEncoder().encode(text)]);
  await write("config.json", `${JSON.stringify(config, undefined, 2)}\n`);
  await write("vocab.txt", `${vocabulary.join("\n")}\n`);
  await write(
    "tokenizer_config.json",
    `${JSON.stringify({ tokenizer_class: "BertTokenizer", do_lower_case: true, model_max_length: maxTokens })}\n`,
  );
  await writeWeights(folder, await untrainedTensors(config, { pooler: true }, seed));
}

/** A tensor by its name. */
export type NamedTensor = readonly [name: string, tensor: ReturnType<typeof tensorsOf>[string]];

/** Replaces a base's weights. */
export async function writeWeights(folder: string, tensors: readonly NamedTensor[]): Promise<void> {
  await writeFileSafely(join(folder, "model.safetensors"), [safetensorsBytes(tensors)]);
}

/** What of a wholly trained model is the base, without the task's head. */
export function baseTensors({ layout }: AdaptedModel, phi: Phi): readonly NamedTensor[] {
  const tensors = tensorsOf(phi);
  return layout.flatMap(({ name, part }) => (part === "base" && tensors[name] ? [[name, tensors[name]] as const] : []));
}

const specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/** Words longer than this are a stem and an ending, so that "refund" and "refunded" share what is learned of either. */
const stemLength = 5;

/** A vocabulary of word pieces: special tokens, characters alone and behind another, short words, stems, endings. */
function vocabularyOf(texts: readonly string[]): readonly string[] {
  const words = [...new Set(texts.flatMap((text) => text.toLowerCase().match(/[a-z0-9]+|[^\sa-z0-9]/g) ?? []))];
  const characters = new Set([..."abcdefghijklmnopqrstuvwxyz0123456789", ...words.join("")]);
  const stems = words.map((word) => word.slice(0, stemLength));
  const endings = words.map((word) => `##${word.slice(stemLength)}`).filter((ending) => ending !== "##");
  const behind = [...characters].map((character) => `##${character}`);
  return [...specialTokens, ...[...new Set([...characters, ...behind, ...stems, ...endings])].sort()];
}
