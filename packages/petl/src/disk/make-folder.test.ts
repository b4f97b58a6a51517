import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeFolder } from "./make-folder.ts";

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "petl-make-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("makes a folder with all above it, and takes one that is there", async () => {
  const path = join(scratch(), "a", "b", "c");
  await makeFolder(path);
  await makeFolder(path);
  expect(existsSync(path)).toBe(true);
});

test("a path through a file is refused, and so is one that the system cannot hold", async () => {
  const file = join(scratch(), "file");
  writeFileSync(file, "");
  await expect(makeFolder(join(file, "below"))).rejects.toThrow();
});

test.runIf(existsSync("/proc"))("a folder in which the system makes none is refused at once", async () => {
  await expect(makeFolder("/proc/petl/run")).rejects.toThrow();
});
