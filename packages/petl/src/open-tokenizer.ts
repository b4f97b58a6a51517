import { loadTokenizer, readText, type Tokenizer, tokenizerFileNames } from "@petl/core";
import { directory } from "./disk/files.ts";

/** The tokenizer of a folder; undefined where it has none. */
export async function openTokenizer(path: string): Promise<Tokenizer | undefined> {
  const folder = directory(path);
  const present = await folder.files();
  if (!present.includes("tokenizer.json") && !present.includes("vocab.txt")) return undefined;
  const names = tokenizerFileNames.filter((name) => present.includes(name));
  const texts = await Promise.all(names.map(async (name) => [name, await readText(folder, name)] as const));
  return loadTokenizer(Object.fromEntries(texts));
}
