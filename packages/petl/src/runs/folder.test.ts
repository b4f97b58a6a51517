import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lockFolder } from "../disk/folder-lock.ts";
import { claim, refuseFinished } from "./folder.ts";

const scratch = mkdtempSync(join(tmpdir(), "petl-runs-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A run's folder with such files. */
function runWith(...files: readonly string[]): string {
  const out = mkdtempSync(join(scratch, "run-"));
  for (const file of files) writeFileSync(join(out, file), "{}");
  return out;
}

/** What a process leaves that was killed after its last file; no system gives a process so large a number. */
function leave(out: string): void {
  writeFileSync(
    join(out, ".petl-lock.json"),
    JSON.stringify({ pid: 2 ** 30, host: hostname(), begun: "1", mark: "dead" }),
  );
  writeFileSync(join(out, ".metrics.jsonl.0-1.tmp"), "half");
  mkdirSync(join(out, "checkpoints", "step-00000001"), { recursive: true });
}

const finished = ["adapter_config.json", "metrics.jsonl", "run.json"];

test("a finished run is not gone on with, and loses what a kill after its last file left there", async () => {
  const out = runWith(...finished);
  await expect(refuseFinished(out, "mine")).rejects.toThrow("--resume mine: this run is finished");
  leave(out);
  await expect(refuseFinished(out, "mine")).rejects.toThrow("--resume mine: this run is finished");
  expect(readdirSync(out).sort()).toEqual(finished);
});

test("what another process holds is not tidied", async () => {
  const out = runWith(...finished);
  leave(out);
  const lock = await lockFolder(out);
  await expect(refuseFinished(out, "mine")).rejects.toThrow("is being written by another process");
  await lock.release();
  expect(readdirSync(out)).toContain("checkpoints");
});

test("an unfinished run keeps its checkpoints", async () => {
  const out = runWith("run.json");
  leave(out);
  await refuseFinished(out, "mine");
  await (await claim(out)).release();
  expect(readdirSync(join(out, "checkpoints"))).toEqual(["step-00000001"]);
});
