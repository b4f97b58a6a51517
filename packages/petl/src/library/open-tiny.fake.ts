import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type OpenBase, type OpenBaseOptions, openBase } from "./open-base.ts";
import { writeTinyBase } from "./tiny-base.fake.ts";

const texts = ["a fine film", "a dull film", "what a fine song", "so dull a song", "fine work", "dull work"];

/** A folder that is gone when the file's tests are over. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "petl-library-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens a base of two layers of 16 in a folder's `base`, made there on the first call. */
export async function openTiny(folder: string, options: OpenBaseOptions = {}): Promise<OpenBase> {
  const path = join(folder, "base");
  await writeTinyBase(path, texts);
  return openBase(path, { threads: 1, ...options });
}

/** Writes rows of "fine" and "dull" texts as CSV; returns its path. */
export function writeRows(folder: string, name: string, repeated = 4): string {
  const path = join(folder, name);
  const rows = Array.from({ length: repeated }, () => texts)
    .flat()
    .map((text) => `${text},${text.includes("fine") ? "good" : "bad"}`);
  writeFileSync(path, `text,label\n${rows.join("\n")}\n`);
  return path;
}
