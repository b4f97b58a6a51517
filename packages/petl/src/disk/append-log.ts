import { isRecord, parsedJson } from "@petl/core";
import { bytesAt, growingFile } from "./growing-file.ts";

/** A file of JSON lines, each with the step it belongs to, in order. */
export interface AppendLog {
  /** What `openAppendLog` took away to resume: whole lines of later steps, and bytes after the last line it kept. */
  readonly dropped: { readonly lines: number; readonly bytes: number };
  /** the step of the last line that was kept; undefined where none was */
  readonly last: number | undefined;
  /** Appends one whole line; where that fails, the file stays as it was. */
  append(record: { readonly step: number } & Readonly<Record<string, unknown>>): void;
  /** Forces all lines to the disk. */
  sync(): void;
  close(): void;
}

/**
 * Opens `path` for appending. With `resumeAfter`, the lines up to the last complete one whose step is at most
 * `resumeAfter` stay and everything behind them goes, so that after a crash and a resume from that step the file
 * equals an uninterrupted run's; to that end, append and sync the lines of a step before you save its snapshot.
 * Without it, the file starts empty.
 */
export function openAppendLog(path: string, { resumeAfter }: { readonly resumeAfter?: number } = {}): AppendLog {
  const content = resumeAfter === undefined ? undefined : bytesAt(path);
  const kept = content && resumeAfter !== undefined ? keptBytes(content, resumeAfter) : 0;
  const lost = content ? content.subarray(kept) : Buffer.alloc(0);
  const { append, sync, close } = growingFile(path, kept);
  return {
    last: lastStep(content?.subarray(0, kept)),
    dropped: { lines: lost.filter((byte) => byte === newline).length, bytes: lost.length },
    append: (record) => append(Buffer.from(`${JSON.stringify(record)}\n`)),
    sync,
    close,
  };
}

const newline = 10;

/** Length of the leading complete lines whose step is at most `last`. */
function keptBytes(content: Buffer, last: number): number {
  let kept = 0;
  for (;;) {
    const end = content.indexOf(newline, kept);
    if (end < 0) return kept;
    const step = stepOf(content.toString("utf8", kept, end));
    if (step === undefined || step > last) return kept;
    kept = end + 1;
  }
}

/** The step of the last of some whole lines. */
function lastStep(lines: Buffer | undefined): number | undefined {
  if (!lines || lines.length === 0) return undefined;
  return stepOf(lines.toString("utf8", lines.lastIndexOf(newline, lines.length - 2) + 1, lines.length));
}

function stepOf(line: string): number | undefined {
  const record = parsedJson(line); // undefined where a power cut damaged it
  return isRecord(record) && typeof record.step === "number" ? record.step : undefined;
}
