import { canonical, type Fit, InputError, isWaiting, type Json, type PlannedCell, type StudyRecord } from "@petl/core";
import type { StudyContext } from "./context.ts";

/**
 * Asks whether the records of a folder are those of its study's cells, each once: another petl may have left them there that
 * chose its rates otherwise, or somebody has joined two files; a study of both would compare what is not alike.
 *
 * @throws InputError that names the first record in the way
 */
export function refuseOtherTrainings(
  out: string,
  { study, base_sha256 }: Pick<StudyContext, "study" | "base_sha256">,
  planned: readonly PlannedCell[],
  records: readonly StudyRecord[],
): void {
  const fits = new Map(planned.map((cell) => [keyOf(cell), cell.fit]));
  const seen = new Set<string>();
  for (const record of records) {
    const key = keyOf(record);
    const fit = fits.get(key);
    const problems = [
      ...(record.study === study ? [] : [`is of the study ${record.study}`]),
      ...(record.base_sha256 === base_sha256 ? [] : ["was made on other weights"]),
      ...(seen.has(key) ? ["stands there twice"] : []),
      ...(fit === undefined || isWaiting(fit) ? ["is no cell of this study, or waits for others"] : []),
      ...(fit && !isWaiting(fit) && record.train ? differences(record.train, fit) : []),
    ];
    seen.add(key);
    if (problems.length === 0) continue;
    throw new InputError([
      `\`out\` ${out}: the record of ${JSON.stringify(record.cell)}, seed ${record.seed}, by petl ${record.petl}, ${problems.join("; ")}`,
      "name another folder, or replace it with `overwrite`",
    ]);
  }
}

/** Tells a cell with its seed from the others. */
export const keyOf = ({ cell, seed }: Pick<StudyRecord, "cell" | "seed">): string => `${canonical(cell)} ${seed}`;

/** The cells of a plan that have no record yet and wait for none. */
export function missing(planned: readonly PlannedCell[], records: readonly StudyRecord[]): readonly PlannedCell[] {
  const done = new Set(records.map(keyOf));
  return planned.filter((cell) => !isWaiting(cell.fit) && !done.has(keyOf(cell)));
}

/** Settings of the plan that a record's training had otherwise; its steps may be fewer, where it is one of several moments. */
function differences(train: Readonly<Record<string, Json>>, fit: Fit): readonly string[] {
  const { method, options, lr, batch, schedule } = fit;
  const wanted: Readonly<Record<string, Json>> = { method, ...options, lr, batch, schedule };
  return Object.entries(wanted).flatMap(([key, now]) => {
    const there = train[key] ?? null;
    const isSame = canonical(there) === canonical(now);
    return isSame ? [] : [`was trained otherwise: ${key} ${JSON.stringify(there)} there, ${JSON.stringify(now)} now`];
  });
}
