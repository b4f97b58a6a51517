import { realpath } from "node:fs/promises";
import { join } from "node:path";
import {
  canonical,
  type FitRows,
  InputError,
  isWaiting,
  type Json,
  type PlannedCell,
  type StudyRecord,
  sameCell,
  studies,
} from "@petl/core";
import { sha256 } from "../disk/sha256.ts";
import { version } from "../version.ts";
import { trainObject } from "./bench.ts";
import { readContext, refuseOtherGround, type StudyContext } from "./context.ts";
import type { PreparedStudy } from "./prepare-study.ts";
import { readRecords } from "./record-log.ts";
import { rowLines } from "./row-files.ts";
import { missing } from "./same-trainings.ts";
import { dataDigest, fitSet } from "./study-rows.ts";

/** Finished records of other studies' folders. */
export interface OtherRecords {
  /** The record of a cell whose training one of them is of; undefined where there is none, or the cell needs the trained model. */
  recordOf(planned: PlannedCell): StudyRecord | undefined;
  /** why a folder gives nothing, in words */
  readonly remarks: readonly string[];
}

/**
 * Opens the records of other studies of the same base and rows. One serves a cell where everything agrees that it was made
 * of: the base's weights and tokenizer, the rows trained on and scored, the method with its settings, the seed, and petl.
 *
 * @throws InputError for a folder without a study, with another base or other rows, or whose records are damaged
 */
export async function openRecords(
  { study, context, sets }: PreparedStudy,
  folders: readonly string[],
  out: string,
): Promise<OtherRecords> {
  const opened = await Promise.all(folders.map((folder) => recordsOf(folder, context, out)));
  const byTraining = new Map<string, StudyRecord[]>();
  for (const record of opened.flatMap(({ records }) => records)) {
    const key = trainingOf(record);
    byTraining.set(key, [...(byTraining.get(key) ?? []), record]);
  }
  const digests = new Map<FitRows, string>();
  const digestOf = (rows: FitRows) => {
    const known = digests.get(rows) ?? sha256(rowLines(fitSet(sets, context.task, rows)));
    digests.set(rows, known);
    return known;
  };
  return {
    remarks: opened.flatMap(({ remarks }) => remarks),
    recordOf({ cell, seed, fit }) {
      if (byTraining.size === 0 || isWaiting(fit)) return undefined;
      const steps = Number(cell.step ?? fit?.steps); // a cell may be a moment of a longer training
      const train = fit && trainObject(context, { ...fit, steps }, seed);
      const data_sha256 = dataDigest(fit ? digestOf(fit.rows) : "", context.score_sha256);
      const same = byTraining.get(trainingOf({ train, seed, data_sha256 })) ?? [];
      const own = same.find((record) => record.study === study.name && sameCell(record.cell, cell));
      const found = own ?? (study.tellsTrainingOnly?.(cell) ? same.find(tellsTrainingOnly) : undefined);
      return found && { ...found, study: study.name, cell, train, taken_from: found.taken_from ?? found.study };
    },
  };
}

/** What the others have of a study's missing cells; in rounds, since a record may decide the rate of further cells. */
export function takenOver(
  { study, setup }: PreparedStudy,
  others: OtherRecords,
  records: readonly StudyRecord[],
): readonly StudyRecord[] {
  const taken: StudyRecord[] = [];
  for (;;) {
    const known = [...records, ...taken];
    const more = missing(study.plan(setup, known), known).flatMap((cell) => others.recordOf(cell) ?? []);
    if (more.length === 0) return taken;
    taken.push(...more);
  }
}

const tellsTrainingOnly = ({ study, cell }: StudyRecord): boolean =>
  studies.find(({ name }) => name === study)?.tellsTrainingOnly?.(cell) ?? false;

/** What tells a training from every other on the same base: all its settings, and its rows by their digest instead of their file's name. */
function trainingOf({ train, seed, data_sha256 }: Pick<StudyRecord, "train" | "seed" | "data_sha256">): string {
  const { base: _, data: __, ...settings }: Readonly<Record<string, Json>> = train ?? {};
  return canonical({ settings: train && settings, seed, data_sha256 });
}

/** The records of a folder that may serve. */
async function recordsOf(folder: string, asked: StudyContext, out: string) {
  const given = (reason: string) => ({ records: [], remarks: [`nothing is taken from ${folder}, ${reason}`] });
  const places = await Promise.all([folder, out].map((path) => realpath(path).catch(() => undefined)));
  if (places[0] !== undefined && places[0] === places[1])
    throw new InputError(`\`reuse\` ${folder} is the study's own folder, with which it goes on by itself`);
  const found = await readContext(folder);
  if (!found) throw new InputError(`\`reuse\` ${folder} holds no study`);
  refuseOtherGround(folder, found, asked);
  const { records } = readRecords(join(folder, "records.jsonl"));
  const foreign = records.find(({ study, base_sha256 }) => study !== found.study || base_sha256 !== found.base_sha256);
  if (foreign)
    throw new InputError(
      `\`reuse\` ${folder}: the record of ${JSON.stringify(foreign.cell)}, seed ${foreign.seed}, is not of the study in that folder`,
    );
  if (found.tokenizer_sha256 === undefined)
    return given("which does not tell the base's tokenizer; the command that made it adds that when it is run again");
  if (found.source_sha256 !== asked.source_sha256) return given("whose source text is not this study's");
  const own = records.filter(({ petl }) => petl === version);
  return own.length > 0 || records.length === 0 ? { records: own, remarks: [] } : given("which another petl made");
}
