import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { drawRows, type ExampleSet, type FitRows, type Task } from "@petl/core";
import { readData } from "../data/read-data.ts";
import { writeFileSafely } from "../disk/safe-write.ts";
import { fileSha256, sha256 } from "../disk/sha256.ts";
import { rowLines, selectionOf } from "./row-files.ts";

/** Where a study's rows stand, below its folder. */
export const scoreFile = "data/score.jsonl";
export const heldOutFile = "data/held-out.jsonl";
export const sourceFile = "data/source.jsonl";
export const trainFile = (rows: FitRows): string =>
  rows === "all" ? "data/train.jsonl" : `data/train-${rows === "selection" ? "four-fifths" : rows}.jsonl`;

/** What a study is worked out on. */
export interface StudySets {
  readonly train: ExampleSet;
  readonly score: ExampleSet;
  readonly source: ExampleSet | undefined;
}

/** The rows that a training on so many of them has. */
export function fitSet({ train }: StudySets, task: Task, rows: FitRows): ExampleSet {
  if (rows === "all") return train;
  return rows === "selection" ? selectionOf(train, task).train : drawRows(train, rows);
}

/** Writes the rows that a study's cells read; those that are there already are the same, and stay. */
export async function writeRows(
  out: string,
  sets: StudySets,
  { task, counts }: { readonly task: Task; readonly counts: readonly number[] },
): Promise<void> {
  const files: [string, ExampleSet][] = [
    [heldOutFile, selectionOf(sets.train, task).validation],
    [scoreFile, sets.score],
    ...(sets.source ? [[sourceFile, sets.source] satisfies [string, ExampleSet]] : []),
    ...(["all", "selection", ...counts] satisfies FitRows[]).map((rows): [string, ExampleSet] => [
      trainFile(rows),
      fitSet(sets, task, rows),
    ]),
  ];
  for (const [name, set] of files) {
    const [path, text] = [join(out, name), rowLines(set)];
    if ((await readFile(path, "utf8").catch(() => undefined)) === text) continue;
    await writeFileSafely(path, [new TextEncoder().encode(text)]);
  }
}

/** The rows of a file in a study's folder, with the SHA-256 of its bytes. */
export async function readStudyRows(
  out: string,
  name: string,
  columns: Readonly<Record<string, string>>,
): Promise<{ readonly set: ExampleSet; readonly sha256: string }> {
  const path = join(out, name);
  const { set } = await readData([{ path, weight: 1 }], columns);
  return { set, sha256: await fileSha256(path) };
}

/** SHA-256 over the rows that a cell trains on and those that it is scored on, in order. */
export const dataDigest = (train: string, score: string): string => sha256(`${train}\n${score}\n`);
