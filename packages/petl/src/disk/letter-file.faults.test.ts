import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { letterFile } from "./letter-file.ts";

/** A disk on which so many bytes are free, with the files that are open and the bytes that were written. */
const disk = vi.hoisted(() => ({ open: new Set<number>(), isBusy: false, free: 1e9, written: 0 }));

vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  const openSync: typeof real.openSync = (...args) => {
    const descriptor = real.openSync(...args);
    disk.open.add(descriptor);
    return descriptor;
  };
  const closeSync: typeof real.closeSync = (descriptor) => {
    real.closeSync(descriptor);
    disk.open.delete(descriptor);
  };
  const unlinkSync: typeof real.unlinkSync = (path) => {
    if (disk.isBusy && disk.open.size > 0) throw Object.assign(new Error("busy"), { code: "EBUSY" });
    real.unlinkSync(path);
  };
  const writeSync = (descriptor: number, bytes: Uint8Array, from: number, length: number, at: number) => {
    disk.written += length;
    return real.writeSync(descriptor, bytes, from, length, at);
  };
  return { ...real, openSync, closeSync, unlinkSync, writeSync, statfsSync: () => ({ bavail: disk.free, bsize: 1 }) };
});

const folder = mkdtempSync(join(tmpdir(), "petl-letters-"));
beforeEach(() => {
  Object.assign(disk, { isBusy: false, free: 1e9, written: 0 });
  disk.open.clear();
});
afterAll(() => rmSync(folder, { recursive: true }));

test("where an open file cannot lose its name, none is left, and everything stays in memory", () => {
  disk.isBusy = true;
  const read = letterFile(folder, 0)(Uint8Array.of(1, 2, 3));
  expect(read(1, 3)).toEqual(Uint8Array.of(2, 3));
  expect(readdirSync(folder)).toEqual([]);
  expect(disk.open.size).toBe(0);
});

test("half of the free room is left to others, and what does not fit stays in memory", () => {
  disk.free = 100;
  const keep = letterFile(folder, 0);
  const parts = [30, 30, 15, 30].map((length, at) => new Uint8Array(length).fill(at));
  const kept = parts.map((bytes) => keep(bytes.slice()));
  expect(disk.written).toBe(45);
  for (const [at, bytes] of parts.entries()) expect(kept[at]?.(0, bytes.length)).toEqual(bytes);
});
