import { loadTokenizer, readText, type Tokenizer, type TokenizerFiles, tokenizerFileNames } from "@petl/core";
import { directory } from "./disk/files.ts";

/**
 * The tokenizer of a folder; undefined where it has none. An adapter's folder may bring files of its own, a template or
 * tokens that were added: they take the place of the base's.
 */
export async function openTokenizer(path: string, adapter?: string): Promise<Tokenizer | undefined> {
  const own = await filesOf(path);
  const brought = adapter === undefined ? {} : await filesOf(adapter);
  const files = { ...own, ...brought, "config.json": own["config.json"] };
  return vocabularies.some((name) => files[name] !== undefined) ? loadTokenizer(files) : undefined;
}

/** Whether a folder says how text is written or becomes tokens. */
export async function bringsTokenizer(path: string): Promise<boolean> {
  const present = await directory(path).files();
  return tokenizerFileNames.some((name) => name !== "config.json" && present.includes(name));
}

/** Each of them makes a tokenizer. */
const vocabularies = ["tokenizer.json", "vocab.txt", "vocab.json"] as const;

async function filesOf(path: string): Promise<TokenizerFiles> {
  const folder = directory(path);
  const present = await folder.files();
  const names = tokenizerFileNames.filter((name) => present.includes(name));
  const texts = await Promise.all(names.map(async (name) => [name, await readText(folder, name)] as const));
  return Object.fromEntries(texts);
}
