import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  InputError,
  type Paragraph,
  packSentences,
  packTokens,
  safetensorsBytes,
  type Tokenizer,
  tokenizerFileNames,
  trainTokenizer,
  untrainedTensors,
} from "@petl/core";
import { z } from "zod";
import { directory } from "../files.ts";
import { type NamedFile, tokenizerFiles } from "../library/save.ts";
import { openTokenizer } from "../open-tokenizer.ts";
import { openSealedFolder, writeSealedFolder } from "../sealed-folder.ts";
import type { StageProgress } from "../terminal.ts";
import { modelConfig, pretrainingKinds } from "./model-config.ts";
import type { PretrainingRecord } from "./record.ts";
import { requireSame } from "./require-same.ts";
import { type KeptRow, openRowFolder, type RowFacts, type RowFolder, writeRowFolder } from "./row-folder.ts";
import { digestOfTexts, findTexts, readTexts, type TextFile } from "./text-files.ts";

/** How the stages are watched and ended. */
export interface StageWatch {
  readonly onProgress: (progress: StageProgress) => void;
  readonly remark: (text: string) => void;
  readonly signal: AbortSignal;
}

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
  const wanted = { text_sha256: record.text_sha256, ...record.tokenizer };
  const found = await openSealedFolder(path, z.record(z.string(), z.unknown()));
  if (found) requireSame(path, found, wanted);
  else await writeTokenizer(record, path, wanted, watch);
  const tokenizer = await openTokenizer(path);
  if (!tokenizer) throw new InputError(`"${path}" holds no tokenizer`);
  return { folder: path, tokenizer, sha256: await tokenizerDigest(path) };
}

/** Copies the tokenizer that was named, or learns one from the text. */
async function writeTokenizer(
  record: PretrainingRecord,
  path: string,
  facts: Readonly<Record<string, unknown>>,
  watch: StageWatch,
): Promise<void> {
  const { tokenizer } = record;
  const files = "folder" in tokenizer ? await tokenizerFiles(tokenizer.folder) : await learnedFiles(record, watch);
  await writeSealedFolder(path, async (folder) => {
    for (const { name, chunks } of files) await folder.write(name, chunks);
    return facts;
  });
}

async function learnedFiles(record: PretrainingRecord, watch: StageWatch): Promise<readonly NamedFile[]> {
  const { architecture, tokenizer, max_length: maxLength } = record;
  if ("folder" in tokenizer) return [];
  const { tokenizer: kind } = pretrainingKinds[architecture];
  const texts = textsOf(watchedTexts("learning the tokenizer", await unchangedTexts(record), watch));
  const { vocabulary, lowercase } = tokenizer;
  const options = kind === "wordpiece" ? { kind, vocabulary, maxLength, lowercase } : { kind, vocabulary, maxLength };
  const files = await trainTokenizer(texts, options);
  return Object.entries(files).map(([name, text]) => ({ name, chunks: [new TextEncoder().encode(text)] }));
}

async function* textsOf(paragraphs: AsyncIterable<Paragraph>): AsyncGenerator<string, void, void> {
  for await (const { text } of paragraphs) yield text;
}

async function tokenizerDigest(path: string): Promise<string> {
  const hash = createHash("sha256");
  const folder = directory(path);
  for (const name of tokenizerFileNames.filter((each) => each !== "config.json")) {
    if (!(await folder.files()).includes(name)) continue;
    const source = await folder.open(name);
    hash.update(`${name}\n`).update(await source.read(0, source.size));
  }
  return hash.digest("hex");
}

/** The rows of a run, made where they are not there yet. */
export async function prepareRows(
  record: PretrainingRecord,
  folder: string,
  { tokenizer, sha256 }: PreparedTokenizer,
  watch: StageWatch,
): Promise<RowFolder> {
  const path = join(folder, "rows");
  const keepTexts = record.teacher !== undefined;
  const facts: RowFacts = {
    ...{ text_sha256: record.text_sha256, tokenizer_sha256: sha256, max_length: record.max_length },
    ...{ short_share: record.short_share, seed: record.settings.seed, texts: keepTexts },
    kind: pretrainingKinds[record.architecture].rows,
  };
  const found = await openRowFolder(path);
  if (found) {
    requireSame(path, found.facts, { ...facts, texts: keepTexts || found.facts.texts }); // kept texts do no harm
    return found;
  }
  const rows = packedRows(record, tokenizer, await unchangedTexts(record), watch);
  await writeRowFolder(path, rows, { vocabulary: tokenizer.vocabularySize, keepTexts, facts });
  const written = await openRowFolder(path);
  if (!written) throw new InputError(`"${path}" is gone`);
  return written;
}

async function* packedRows(
  { architecture, max_length, short_share, settings }: PretrainingRecord,
  tokenizer: Tokenizer,
  files: readonly TextFile[],
  watch: StageWatch,
): AsyncGenerator<KeptRow, void, void> {
  const paragraphs = watchedTexts("making the rows", files, watch);
  const { idsOf, framing } = tokenizer;
  if (pretrainingKinds[architecture].rows === "sentences") {
    const options = { idsOf, room: max_length - framing, shortShare: short_share, seed: settings.seed };
    for await (const { ids, text } of packSentences(paragraphs, options))
      yield { ids: tokenizer.frame(ids).inputIds, text };
  } else {
    const endId = tokenizer.specialIds.eos_token;
    if (endId === undefined) throw new InputError("the tokenizer has no token that ends a text");
    for await (const { ids, text } of packTokens(paragraphs, { idsOf, length: max_length - framing, endId }))
      yield { ids: tokenizer.frame(ids).inputIds, text };
  }
}

/** The paragraphs of the texts, with a line of progress. */
export function watchedTexts(what: string, files: readonly TextFile[], { onProgress, signal }: StageWatch) {
  const of = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const begin = performance.now();
  return readTexts(files, {
    signal,
    onRead(done) {
      const secondsLeft = done === 0 ? undefined : (((of - done) / done) * (performance.now() - begin)) / 1000;
      onProgress({ what, done, of, unit: "MB", ...(secondsLeft !== undefined && { secondsLeft }) });
    },
  });
}

/** The text files, which must be those that the run began with. */
async function unchangedTexts({ text, text_sha256 }: PretrainingRecord): Promise<readonly TextFile[]> {
  const files = await findTexts(text);
  if ((await digestOfTexts(files)) === text_sha256) return files;
  throw new InputError(`the texts ${text.join(", ")} have changed since the run began`);
}

/** Writes the untrained model as an ordinary Hugging Face folder; one that is there already is left as it is. */
export async function prepareStart(
  record: PretrainingRecord,
  path: string,
  { folder, tokenizer }: PreparedTokenizer,
): Promise<void> {
  if (await openSealedFolder(path, z.literal("untrained"))) return;
  const config = modelConfig(record, tokenizer);
  // the pooler is trained by a teacher alone; without one the model has none, as Hugging Face's class
  const parts = { head: pretrainingKinds[record.architecture].task, pooler: record.teacher !== undefined };
  const tensors = await untrainedTensors(config, parts, record.settings.seed);
  await writeSealedFolder(path, async (into) => {
    await into.write("config.json", [new TextEncoder().encode(`${JSON.stringify(config, undefined, 2)}\n`)]);
    await into.write("model.safetensors", [safetensorsBytes(tensors)]);
    for (const { name, chunks } of await tokenizerFiles(folder)) await into.write(name, chunks);
    return "untrained";
  });
}
