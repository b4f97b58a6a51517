import { mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openRowFile, type RowFile, removeDeadRowFiles, rowFile } from "./row-file.ts";

const folder = mkdtempSync(join(tmpdir(), "petl-rows-"));
afterAll(() => rmSync(folder, { recursive: true }));

const row = (first: number, length = 8) => Uint8Array.from({ length }, (_, i) => first + i);

test("rows come back as they were written, those beyond its bytes are not kept, and closed it leaves no file", async () => {
  const store = await openRowFile(folder, 20, (text) => expect.fail(text));
  for (const [at, length] of [8, 8, 8].entries()) await store?.write(at, row(at, length));
  expect([await store?.read(0), await store?.read(1), await store?.read(2)]).toEqual([row(0), row(1), undefined]);
  expect(readdirSync(folder)).toHaveLength(1);
  await store?.close();
  expect(readdirSync(folder)).toEqual([]);
});

/** A disk that takes so many bytes, the last of them as a part of what was to be written. */
async function fullAfter(path: string, most: number): Promise<RowFile> {
  const file = await open(path, "wx+");
  let left = most;
  return {
    read: file.read.bind(file),
    close: file.close.bind(file),
    async write(bytes: Uint8Array, from: number, length: number, at: number) {
      if (left === 0) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      const taken = Math.min(left, length);
      left -= taken;
      return file.write(bytes, from, taken, at);
    },
  } as RowFile;
}

test("on a disk that is full nothing is kept from then on, which is said once, and no file is left", async () => {
  const said: string[] = [];
  const path = join(folder, "full");
  const store = rowFile(path, await fullAfter(path, 12), 1e6, (error) => said.push(String(error)));
  for (const at of [0, 1, 2]) await store.write(at, row(at));
  expect([await store.read(0), await store.read(1), await store.read(2)]).toEqual([undefined, undefined, undefined]);
  expect(said).toEqual([expect.stringContaining("no space left")]);
  expect(readdirSync(folder)).toEqual([]);
  await store.close();
});

test("a file that was cut, or a folder that is not there, is dropped and said", async () => {
  const said: string[] = [];
  const remark = (text: string) => said.push(text);
  const store = await openRowFile(folder, 1e6, remark);
  await store?.write(0, row(0));
  truncateSync(join(folder, readdirSync(folder)[0] ?? ""), 3);
  expect(await store?.read(0)).toBeUndefined();
  expect(await openRowFile(join(folder, "nowhere"), 1e6, remark)).toBeUndefined();
  expect(said).toEqual([
    expect.stringMatching(/^cache: dropped, since .* \(Error: it is shorter/),
    expect.stringMatching(/^cache: dropped, since .*nowhere.* \(ENOENT\)$/),
  ]);
  expect(readdirSync(folder)).toEqual([]);
});

test("what a killed process left is removed, also where its number is our own now; a living one's files stay", async () => {
  const name = (pid: number) => join(folder, `petl-cache-${pid}-0123456789ab.rows`);
  const dead = 2 ** 22 + 1; // beyond the largest that systems give
  for (const pid of [dead, process.pid, process.ppid]) writeFileSync(name(pid), "rows");
  utimesSync(name(process.pid), 0, 0);
  const living = await openRowFile(folder, 10, (text) => expect.fail(text));
  await removeDeadRowFiles(folder);
  expect(readdirSync(folder)).toHaveLength(2);
  expect(readdirSync(folder)).toContain(`petl-cache-${process.ppid}-0123456789ab.rows`);
  await living?.close();
});
