/** The files of a checkpoint folder that say how its text becomes ids. */
export const tokenizerFileNames = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
  "vocab.txt",
  "vocab.json",
  "merges.txt",
  "added_tokens.json",
  "config.json",
] as const;

/** The texts of those of them that the folder has. */
export type TokenizerFiles = { readonly [Name in (typeof tokenizerFileNames)[number]]?: string | undefined };
