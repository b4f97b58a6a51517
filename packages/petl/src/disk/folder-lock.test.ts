import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { MachineError } from "../machine-error.ts";
import { lockFolder, lockName, refuseBusy } from "./folder-lock.ts";

const scratch = mkdtempSync(join(tmpdir(), "petl-lock-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const newFolder = () => mkdtempSync(join(scratch, "folder-"));

/** Changes what a folder's lock says. */
function edit(folder: string, change: object): void {
  const path = join(folder, lockName);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
}

test("one process at a time writes a folder, and leaves nothing in it", async () => {
  const folder = newFolder();
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(InputError);
  await expect(refuseBusy(folder)).rejects.toThrow(`another process (${process.pid})`);
  lock.check();
  await lock.release();
  expect(readdirSync(folder)).toEqual([]);
  await (await lockFolder(folder)).release();
});

// only Linux tells when a process began
const begun =
  process.platform === "linux" ? [["whose number another one has been given", { begun: "1" }] as const] : [];

test.each([["whose number nobody has", { pid: 2 ** 22 + 1 }] as const, ...begun])(
  "the lock of a dead process, %s, does not count",
  async (_, change) => {
    const folder = newFolder();
    await lockFolder(folder);
    edit(folder, change);
    await refuseBusy(folder);
    const lock = await lockFolder(folder);
    expect(() => lock.check()).not.toThrow();
    expect(readdirSync(folder)).toEqual([lockName]);
  },
);

test("a process whose folder was taken meanwhile changes nothing more, not even the other's lock", async () => {
  const folder = newFolder();
  const woken = await lockFolder(folder);
  edit(folder, { pid: 2 ** 22 + 1 });
  const other = await lockFolder(folder);
  expect(() => woken.check()).toThrow(MachineError);
  await woken.release();
  other.check();
});

test("a process of another machine counts as alive, and a lock that was cut as none", async () => {
  const folder = newFolder();
  await lockFolder(folder);
  edit(folder, { host: "elsewhere" });
  await expect(lockFolder(folder)).rejects.toThrow("on elsewhere");
  writeFileSync(join(folder, lockName), "{");
  (await lockFolder(folder)).check();
});
