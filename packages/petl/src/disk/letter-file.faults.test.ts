import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { letterFile } from "./letter-file.ts";

/** What is open of the files that are made, of which the first is not to lose its name while it is. */
const open = vi.hoisted(() => new Set<number>());

vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  const openSync: typeof real.openSync = (...args) => {
    const descriptor = real.openSync(...args);
    open.add(descriptor);
    return descriptor;
  };
  const closeSync: typeof real.closeSync = (descriptor) => {
    real.closeSync(descriptor);
    open.delete(descriptor);
  };
  const unlinkSync: typeof real.unlinkSync = (path) => {
    if (open.size > 0) throw Object.assign(new Error("busy"), { code: "EBUSY" });
    real.unlinkSync(path);
  };
  return { ...real, openSync, closeSync, unlinkSync };
});

const folder = mkdtempSync(join(tmpdir(), "petl-letters-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("where an open file cannot lose its name, none is left, and everything stays in memory", () => {
  const read = letterFile(folder, 0)(Uint8Array.of(1, 2, 3));
  expect(read(1, 3)).toEqual(Uint8Array.of(2, 3));
  expect(readdirSync(folder)).toEqual([]);
  expect(open.size).toBe(0);
});
