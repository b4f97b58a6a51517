import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  InputError,
  openTokenizer,
  type Paragraph,
  type Tokenizer,
  tokenizerFileNames,
  trainTokenizer,
} from "@petl/core";
import { z } from "zod";
import { directory } from "../disk/files.ts";
import { openSealedFolder, writeSealedFolder } from "../disk/sealed-folder.ts";
import { type NamedFile, tokenizerFiles } from "../library/save.ts";
import { pretrainingKinds } from "./model-config.ts";
import type { LearnedTokenizer, PretrainingRecord } from "./record.ts";
import { requireSame } from "./require-same.ts";
import { runParagraphs } from "./run-texts.ts";
import type { StageWatch } from "./stage-watch.ts";
import { readWords } from "./word-file.ts";

/** A tokenizer and the folder of its files. */
export interface PreparedTokenizer {
  readonly folder: string;
  readonly tokenizer: Tokenizer;
  /** SHA-256 of its files */
  readonly sha256: string;
}

/** The tokenizer of a run, made where it is not there yet. */
export async function prepareTokenizer(
  record: PretrainingRecord,
  folder: string,
  watch: StageWatch,
): Promise<PreparedTokenizer> {
  const path = join(folder, "tokenizer");
  const wanted = { text_sha256: record.text_sha256, ...factsOf(record.tokenizer) };
  const found = await openSealedFolder(path, z.record(z.string(), z.unknown()));
  if (found) requireSame(path, found, wanted);
  else await writeTokenizer(record, path, wanted, watch);
  const tokenizer = await openTokenizer(directory(path));
  if (!tokenizer) throw new InputError(`"${path}" holds no tokenizer`);
  return { folder: path, tokenizer, sha256: await digestOf(path) };
}

/** What a tokenizer depends on: of a file of words its content, wherever it lies. */
function factsOf(tokenizer: PretrainingRecord["tokenizer"]): Readonly<Record<string, unknown>> {
  if ("folder" in tokenizer) return tokenizer;
  const { words, ...sizes } = tokenizer;
  return { ...sizes, ...(words && { words_sha256: words.sha256 }) };
}

/** Copies the tokenizer that was named, or learns one from the text. */
async function writeTokenizer(
  record: PretrainingRecord,
  path: string,
  facts: Readonly<Record<string, unknown>>,
  watch: StageWatch,
): Promise<void> {
  const { tokenizer } = record;
  const files =
    "folder" in tokenizer
      ? await tokenizerFiles(directory(tokenizer.folder))
      : await learnedFiles(record, tokenizer, watch);
  await writeSealedFolder(path, async (folder) => {
    for (const { name, chunks } of files) await folder.write(name, chunks);
    return facts;
  });
}

/** The files of a tokenizer that is learned from the run's text. */
async function learnedFiles(
  record: PretrainingRecord,
  { vocabulary, lowercase, words: file }: LearnedTokenizer,
  watch: StageWatch,
): Promise<readonly NamedFile[]> {
  const { tokenizer: kind } = pretrainingKinds[record.architecture];
  const sizes = { vocabulary, maxLength: record.max_length };
  const words = file && (await readWords(file));
  const training = kind === "wordpiece" ? { kind, lowercase, words, ...sizes } : { kind, ...sizes };
  const files = await trainTokenizer(bareTexts(runParagraphs(record, "learning the tokenizer", watch)), training);
  return Object.entries(files).map(([name, text]) => ({ name, chunks: [new TextEncoder().encode(text)] }));
}

async function* bareTexts(paragraphs: AsyncIterable<Paragraph>): AsyncGenerator<string, void, void> {
  for await (const { text } of paragraphs) yield text;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  const folder = directory(path);
  for (const name of tokenizerFileNames.filter((each) => each !== "config.json")) {
    if (!(await folder.files()).includes(name)) continue;
    const source = await folder.open(name);
    hash.update(`${name}\n`).update(await source.read(0, source.size));
  }
  return hash.digest("hex");
}
