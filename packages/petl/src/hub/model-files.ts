import { InputError, isPlainName, parsedJson } from "@petl/core";
import { z } from "zod";

const baseConfig = "config.json";
const adapterConfig = "adapter_config.json";
const singleWeights = "model.safetensors";
/** Lists which shard holds which tensor. */
export const shardIndex = "model.safetensors.index.json";

const small = [
  baseConfig,
  "generation_config.json",
  adapterConfig,
  "head_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.txt",
  "vocab.json",
  "merges.txt",
  "tokenizer.model",
  "spiece.model",
  "sentencepiece.bpe.model",
  "chat_template.jinja",
];

/** PEFT's and AdapterHub's; each pickle is fetched only where its safetensors form is missing. */
const adapterWeights = [
  ["adapter_model.safetensors", "adapter_model.bin"],
  ["adapter.safetensors", "pytorch_adapter.bin"],
  ["model_head.safetensors", "pytorch_model_head.bin"],
];

/** The files of a repository that petl reads, without the shards that its index lists. */
export function filesToFetch(present: ReadonlySet<string>, weights: boolean): string[] {
  const chosen = small.filter((name) => present.has(name));
  if (!weights) return chosen;
  if (present.has(baseConfig))
    chosen.push(...[singleWeights, shardIndex].filter((name) => present.has(name)).slice(0, 1));
  if (present.has(adapterConfig)) {
    for (const forms of adapterWeights) chosen.push(...forms.filter((name) => present.has(name)).slice(0, 1));
  }
  return chosen;
}

/** What a folder with these files lacks to be a base model or an adapter, one name or alternative each. */
export function lackingFiles(present: ReadonlySet<string>, weights: boolean): string[] {
  if (present.has(adapterConfig)) {
    const known = adapterWeights.slice(0, 2).flat();
    return !weights || known.some((name) => present.has(name)) ? [] : ["adapter_model.safetensors"];
  }
  if (!present.has(baseConfig)) return [`${baseConfig} or ${adapterConfig}`];
  return !weights || present.has(singleWeights) || present.has(shardIndex)
    ? []
    : [`${singleWeights} (or ${shardIndex})`];
}

/** Whether the index decides which weights belong to this folder. */
export function isSharded(present: ReadonlySet<string>): boolean {
  return present.has(baseConfig) && !present.has(singleWeights) && present.has(shardIndex);
}

/** Whether a tokenizer can be made of these files. */
export function hasTokenizer(present: ReadonlySet<string>): boolean {
  return ["tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model"].some((name) =>
    present.has(name),
  );
}

const indexShape = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** The shards that an index names, sorted. Throws an InputError for a broken index and for names that aren't plain. */
export function shardsOf(indexText: string, place: string): string[] {
  const index = indexShape.safeParse(parsedJson(indexText));
  if (!index.success) throw new InputError(`${place}: holds no "weight_map" from tensors to files`);
  const shards = [...new Set(Object.values(index.data.weight_map))].sort();
  const hostile = shards.filter((name) => !isPlainName(name) || !name.endsWith(".safetensors"));
  if (hostile.length > 0)
    throw new InputError(hostile.map((name) => `${place}: refused the shard ${JSON.stringify(name)}`));
  return shards;
}
