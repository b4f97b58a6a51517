import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { InputError, type StudyRecord } from "@petl/core";
import { explainFileError, systemCode } from "../machine-error.ts";

/** records.jsonl: a line a finished cell. */
export interface RecordLog {
  readonly records: readonly StudyRecord[];
  /** Adds records, each a whole line, all of them at once, and forces them to the disk. */
  append(records: readonly StudyRecord[]): void;
  close(): void;
}

/** Opens a log; a last line that a kill or a power cut has left incomplete goes, whole lines stay as they are. */
export function openRecordLog(path: string): RecordLog {
  const content = contentOf(path);
  const kept = content.lastIndexOf("\n".charCodeAt(0)) + 1;
  const records = recordsIn(path, content.subarray(0, kept).toString("utf8"));
  const descriptor = writing(path, () => openSync(path, "a"));
  if (kept < content.length) writing(path, () => ftruncateSync(descriptor, kept));
  let size = kept;
  return {
    records,
    append(more) {
      const bytes = Buffer.from(more.map((record) => `${JSON.stringify(record)}\n`).join(""));
      try {
        for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
        fsyncSync(descriptor);
        size += bytes.length;
      } catch (error) {
        ftruncateSync(descriptor, size);
        throw explainFileError(error, "write", path);
      }
      records.push(...more);
    },
    close: () => closeSync(descriptor),
  };
}

/** The records of a file that is whole. */
export function recordsIn(path: string, text: string): StudyRecord[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line, at) => {
      try {
        const record: StudyRecord = JSON.parse(line);
        return record;
      } catch {
        throw new InputError(`${path} line ${at + 1} is no record; replace the folder with --overwrite`);
      }
    });
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return Buffer.alloc(0);
    throw explainFileError(error, "read", path);
  }
}

function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainFileError(error, "write", path);
  }
}
