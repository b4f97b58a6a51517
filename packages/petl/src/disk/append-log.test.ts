import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openAppendLog } from "./append-log.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "petl-log-"));
  path = join(folder, "metrics.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Two lines a step, as a step's own and its evaluation's. */
function appendSteps(first: number, last: number, resumeAfter?: number): void {
  const log = openAppendLog(path, resumeAfter === undefined ? {} : { resumeAfter });
  for (let step = first; step <= last; step++) {
    log.append({ step, loss: 1 / step, note: "zürich" } as { step: number });
    log.append({ step, evaluation: { accuracy: step } } as { step: number });
  }
  log.sync();
  log.close();
}

test("a log cut at any byte after the resumed step and continued equals an uninterrupted one", () => {
  appendSteps(1, 10);
  const whole = readFileSync(path);
  appendSteps(1, 6);
  const firstSix = readFileSync(path).length;
  fc.assert(
    fc.property(fc.integer({ min: firstSix, max: whole.length }), (cut) => {
      writeFileSync(path, whole.subarray(0, cut));
      appendSteps(7, 10, 6);
      expect(readFileSync(path).equals(whole)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("what is taken away is told", () => {
  writeFileSync(path, '{"step":1}\n{"step":2}\n{"step":3}\n{"st');
  const log = openAppendLog(path, { resumeAfter: 1 });
  expect(log.dropped).toEqual({ lines: 2, bytes: 26 });
  log.close();
  expect(readFileSync(path, "utf8")).toBe('{"step":1}\n');
});

test.each([
  ["zeros", Buffer.concat([Buffer.from('{"step":1}\n'), Buffer.alloc(20), Buffer.from('\n{"step":2}\n')])],
  ["a line without a step", Buffer.from('{"step":1}\n{"loss":1}\n{"step":2}\n')],
])("nothing behind a damaged line stays: %s", (_, content) => {
  writeFileSync(path, content);
  openAppendLog(path, { resumeAfter: 5 }).close();
  expect(readFileSync(path, "utf8")).toBe('{"step":1}\n');
});

test("without a step to resume after, the log starts empty, and a missing log resumes empty", () => {
  appendSteps(1, 2);
  openAppendLog(path).close();
  expect(readFileSync(path, "utf8")).toBe("");
  rmSync(path);
  const log = openAppendLog(path, { resumeAfter: 3 });
  log.append({ step: 4 });
  log.close();
  expect(readFileSync(path, "utf8")).toBe('{"step":4}\n');
});

test("a log that can't be opened says why in one line", () => {
  expect(() => openAppendLog(folder)).toThrow(
    `can't write "${folder}": it is a folder, not a file; choose another path`,
  );
});
