import { open } from "node:fs/promises";
import { join } from "node:path";
import { InternalError, type StoredRows } from "@petl/core";
import { z } from "zod";
import { directory } from "../disk/files.ts";
import type { NewFolder } from "../disk/safe-write.ts";
import { openSealedFolder, writeSealedFolder } from "../disk/sealed-folder.ts";

/** A row as it is kept: its tokens, and the text that they were made of, where that is kept too. */
export interface KeptRow {
  readonly ids: Int32Array;
  readonly text: string;
}

/** What rows were made from and how, so that others are not taken for them. */
export type RowFacts = Readonly<Record<string, string | number | boolean>>;
const factsOf = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** Rows on a disk that are read by position. */
export interface RowFolder extends StoredRows {
  readonly facts: RowFacts;
  /** how often each token of the vocabulary comes in all rows */
  readonly counts: Float64Array;
  textAt(row: number): Promise<string>;
  close(): Promise<void>;
}

const [rowFile, indexFile, countFile] = ["rows.bin", "index.u32", "counts.f64"];

/**
 * Writes rows as they come into a folder of three files: rows.bin has, row behind row, the tokens as int32 and the text
 * as UTF-8; index.u32 two numbers a row, its tokens and its text's bytes; counts.f64 how often each token comes.
 */
export async function writeRowFolder(
  path: string,
  rows: AsyncIterable<KeptRow>,
  {
    vocabulary,
    keepTexts,
    facts,
  }: { readonly vocabulary: number; readonly keepTexts: boolean; readonly facts: RowFacts },
): Promise<void> {
  const index: number[] = [];
  const counts = new Float64Array(vocabulary);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    const encoder = new TextEncoder();
    for await (const { ids, text } of rows) {
      const kept = encoder.encode(keepTexts ? text : "");
      index.push(ids.length, kept.length);
      for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
      yield Buffer.concat([new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength), kept]);
    }
  }
  await writeSealedFolder(path, async (folder: NewFolder) => {
    await folder.write(rowFile, joined(bytes()));
    await folder.write(indexFile, [new Uint8Array(Uint32Array.from(index).buffer)]);
    await folder.write(countFile, [new Uint8Array(counts.buffer)]);
    return facts;
  });
}

/** The same bytes in chunks of about a megabyte. */
async function* joined(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let [waiting, size]: [Uint8Array[], number] = [[], 0];
  for await (const piece of pieces) {
    waiting.push(piece);
    size += piece.length;
    if (size < 2 ** 20) continue;
    yield Buffer.concat(waiting);
    [waiting, size] = [[], 0];
  }
  yield Buffer.concat(waiting);
}

/** Opens what {@link writeRowFolder} wrote; undefined where there is no such folder. Of the rows, none is in memory. */
export async function openRowFolder(path: string): Promise<RowFolder | undefined> {
  const facts = await openSealedFolder(path, factsOf);
  if (facts === undefined) return undefined;
  const index = new Uint32Array((await contentOf(path, indexFile)).buffer);
  const counts = new Float64Array((await contentOf(path, countFile)).buffer);
  const length = index.length / 2;
  const starts = new Float64Array(length + 1);
  for (let row = 0; row < length; row++) starts[row + 1] = starts[row]! + 4 * index[2 * row]! + index[2 * row + 1]!;
  const lengths = Uint32Array.from({ length }, (_, row) => index[2 * row] ?? 0);
  const handle = await open(join(path, rowFile), "r");
  const read = async (start: number, size: number): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(size);
    const { bytesRead } = size === 0 ? { bytesRead: 0 } : await handle.read(bytes, 0, size, start);
    if (bytesRead !== size) throw new InternalError(`${path}: ${bytesRead} of ${size} bytes at ${start}`);
    return bytes.buffer;
  };
  return {
    facts,
    counts,
    length,
    lengths,
    at: async (row) => ({ inputIds: new Int32Array(await read(starts[row] ?? -1, 4 * (lengths[row] ?? 0))) }),
    async textAt(row) {
      const start = (starts[row] ?? 0) + 4 * (lengths[row] ?? 0);
      return new TextDecoder().decode(await read(start, (starts[row + 1] ?? 0) - start));
    },
    close: () => handle.close(),
  };
}

async function contentOf(path: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const source = await directory(path).open(name);
  return (await source.read(0, source.size)).slice(); // a copy of its own, which begins at an even place
}
