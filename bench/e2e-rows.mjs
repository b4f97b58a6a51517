// The rows of E2E (Novikova et al. 2017, arXiv:1706.09254): a meaning representation, mr, and a text that says it, ref.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";

export const e2e = "../shared/data/nlg/e2e";

export async function rowsOf(name) {
  return parse(await readFile(join(e2e, name)), { columns: true });
}

/** Two parts of the development set that have no meaning in common; every ninth meaning is held out. */
export async function partsOfDevelopment() {
  const all = await rowsOf("devset.csv");
  const held = new Set([...new Set(all.map(({ mr }) => mr))].filter((_, i) => i % 9 === 4));
  return { train: all.filter(({ mr }) => !held.has(mr)), held: all.filter(({ mr }) => held.has(mr)) };
}

/** Writes rows as JSONL; the path that it was given. */
export async function written(path, rows) {
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}
