import { InputError, parsedJson, type StudyRecord } from "@petl/core";
import { z } from "zod";
import { bytesAt, growingFile } from "../disk/growing-file.ts";

/** records.jsonl: a line a finished cell. */
export interface RecordLog {
  readonly records: readonly StudyRecord[];
  /** Adds records, each a whole line, all of them at once, and forces them to the disk. */
  append(records: readonly StudyRecord[]): void;
  close(): void;
}

/** Opens a log; a last line that a kill or a power cut has left incomplete goes, whole lines stay as they are. */
export function openRecordLog(path: string): RecordLog {
  const { records, kept } = readRecords(path);
  const file = growingFile(path, kept);
  return {
    records,
    append(more) {
      file.append(Buffer.from(more.map((record) => `${JSON.stringify(record)}\n`).join("")));
      file.sync();
      records.push(...more);
    },
    close: () => file.close(),
  };
}

/** The records of a file, which stays as it is, and how many of its bytes are whole lines. */
export function readRecords(path: string): { readonly records: StudyRecord[]; readonly kept: number } {
  const content = bytesAt(path);
  const kept = content.lastIndexOf("\n".charCodeAt(0)) + 1;
  return { records: recordsIn(path, content.subarray(0, kept).toString("utf8")), kept };
}

/** What is asked of a record before anything is computed of it. */
const storedRecord = z.looseObject({
  study: z.string(),
  cell: z.record(z.string(), z.json()),
  seed: z.int().nonnegative(),
  train: z.record(z.string(), z.json()).nullable(),
  score: z.number().nullable(),
  score_name: z.string(),
  trained_parameters: z.number(),
  data_sha256: z.string(),
  base_sha256: z.string(),
  petl: z.string(),
});

/** The records of a file that is whole. */
function recordsIn(path: string, text: string): StudyRecord[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line, at) => {
      if (!storedRecord.safeParse(parsedJson(line)).success)
        throw new InputError(`${path} line ${at + 1} is no record; replace the folder with \`overwrite\``);
      const record: StudyRecord = JSON.parse(line);
      return record;
    });
}
