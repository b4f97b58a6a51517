import { InputError } from "../../errors.ts";
import { specialToken, specialTokenNames } from "./special-token.ts";
import type { TokenizerConfig, TokenizerJson } from "./tokenizer-files.ts";
import type { Vocabulary } from "./vocabulary.ts";

/**
 * GPT-2's tokenizer, or RoBERTa's, from the two files that it was published with: vocab.json, the tokens' ids, and
 * merges.txt, a pair of tokens a line behind the line of its version. RoBERTa's puts its marks around a text.
 *
 * @throws InputError naming the line of merges.txt that is no pair
 * Source: huggingface/transformers, GPT2Tokenizer and RobertaTokenizer
 */
export function byteLevelTokenizer(
  vocab: Vocabulary,
  mergesText: string,
  added: Readonly<Record<string, number>>,
  { config, modelType }: { readonly config: TokenizerConfig; readonly modelType: string | undefined },
): TokenizerJson {
  const ids = new Map([...vocab.ids, ...Object.entries(added)]);
  const special = [...new Set([...specialTokenNames.flatMap((name) => config[name] ?? []), ...usual])].filter(
    (token) => ids.has(token) || added[token] !== undefined,
  );
  const others = Object.keys(added).filter((token) => !special.includes(token));
  const framed = /^(roberta|bart|longformer)/i.test(config.tokenizer_class ?? modelType ?? "");
  const [cls, sep] = [config.cls_token ?? config.bos_token ?? "<s>", config.sep_token ?? config.eos_token ?? "</s>"];
  const [clsId, sepId] = [ids.get(cls), ids.get(sep)];
  return {
    added_tokens: [
      ...special.map((token) => specialToken(token, ids.get(token) ?? 0)),
      ...others.map((token) => ({ ...specialToken(token, added[token] ?? 0), special: false, normalized: true })),
    ],
    normalizer: null,
    pre_tokenizer: {
      type: "ByteLevel",
      add_prefix_space: config.add_prefix_space ?? false,
      trim_offsets: true,
      use_regex: true,
    },
    post_processor:
      framed && clsId !== undefined && sepId !== undefined
        ? { type: "RobertaProcessing", cls: [cls, clsId], sep: [sep, sepId] }
        : null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: "BPE", unk_token: null, fuse_unk: false, byte_fallback: false, vocab, merges: mergesOf(mergesText) },
  };
}

/** What GPT-2 and RoBERTa call theirs, where no file says it. */
const usual: readonly string[] = ["<|endoftext|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>"];

function mergesOf(text: string): readonly (readonly string[])[] {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  return lines.flatMap((line, index) => {
    if (line === "" || (index === 0 && line.startsWith("#version"))) return [];
    const pair = line.split(" ");
    if (pair.length === 2 && pair.every((token) => token !== "")) return [pair];
    throw new InputError(`merges.txt line ${index + 1}: is no pair of tokens with a blank between`);
  });
}
