import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { InputError } from "@petl/core";
import { sha256 } from "../disk/sha256.ts";
import { explainFileError } from "../machine-error.ts";

/** A file of words, one a line; empty lines and those that begin with # are passed over. */
interface WordFile {
  readonly file: string;
  /** of its bytes */
  readonly sha256: string;
}

/** @throws InputError where there are no words in it */
export async function findWords(path: string): Promise<WordFile> {
  const file = resolve(path);
  const bytes = await bytesOf(file);
  if (wordsIn(bytes).length === 0) throw new InputError(`"${path}" holds no words, one a line`);
  return { file, sha256: sha256(bytes) };
}

/** @throws InputError where they are no longer those that the run began with */
export async function readWords({ file, sha256: begun }: WordFile): Promise<readonly string[]> {
  const bytes = await bytesOf(file);
  if (sha256(bytes) !== begun) throw new InputError(`the words of ${file} have changed since the run began`);
  return wordsIn(bytes);
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw explainFileError(error, "read", file);
  }
}

const wordsIn = (bytes: Uint8Array): readonly string[] =>
  new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
