import { join } from "node:path";
import { InputError, type Paragraph, packSentences, packTokens, type Tokenizer } from "@petl/core";
import { pretrainingKinds } from "./model-config.ts";
import type { PreparedTokenizer } from "./prepare-tokenizer.ts";
import type { PretrainingRecord } from "./record.ts";
import { requireSame } from "./require-same.ts";
import { type KeptRow, openRowFolder, type RowFacts, type RowFolder, writeRowFolder } from "./row-folder.ts";
import { runParagraphs } from "./run-texts.ts";
import type { StageWatch } from "./stage-watch.ts";

/** The rows are the same for every seed of a run, so that runs which differ in nothing else share them. */
const rowSeed = 0;

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
    text_sha256: record.text_sha256,
    tokenizer_sha256: sha256,
    max_length: record.max_length,
    short_share: record.short_share,
    texts: keepTexts,
    kind: pretrainingKinds[record.architecture].rows,
  };
  const found = await openRowFolder(path);
  if (found) {
    requireSame(path, found.facts, { ...facts, texts: keepTexts || found.facts.texts }); // kept texts do no harm
    return found;
  }
  const rows = packedRows(record, tokenizer, runParagraphs(record, "making the rows", watch));
  await writeRowFolder(path, rows, { vocabulary: tokenizer.vocabularySize, keepTexts, facts });
  const written = await openRowFolder(path);
  if (!written) throw new InputError(`"${path}" is gone`);
  return written;
}

async function* packedRows(
  { architecture, max_length, short_share }: PretrainingRecord,
  tokenizer: Tokenizer,
  paragraphs: AsyncIterable<Paragraph>,
): AsyncGenerator<KeptRow, void, void> {
  const { idsOf, framing } = tokenizer;
  if (pretrainingKinds[architecture].rows === "sentences") {
    const options = { idsOf, room: max_length - framing, shortShare: short_share, seed: rowSeed };
    for await (const { ids, text } of packSentences(paragraphs, options))
      yield { ids: tokenizer.frame(ids).inputIds, text };
  } else {
    const endId = tokenizer.specialIds.eos_token;
    if (endId === undefined) throw new InputError("the tokenizer has no token that ends a text");
    for await (const { ids, text } of packTokens(paragraphs, { idsOf, length: max_length - framing, endId }))
      yield { ids: tokenizer.frame(ids).inputIds, text };
  }
}
