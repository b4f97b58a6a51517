import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { letterFile } from "./letter-file.ts";

const folder = mkdtempSync(join(tmpdir(), "petl-letters-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("what is kept is read as it was given, in whatever order, and no file of it has a name", () => {
  const part = fc.uint8Array({ minLength: 1, maxLength: 300 });
  const reads = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { maxLength: 40 });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), reads, fc.nat(400), (parts, places, most) => {
      const keep = letterFile(folder, most);
      const kept = parts.map((bytes) => keep(bytes.slice()));
      expect(readdirSync(folder)).toEqual([]);
      for (const [which, a, b] of places) {
        const bytes = parts[which % parts.length] ?? new Uint8Array();
        const [from = 0, to = 0] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y);
        expect(kept[which % parts.length]?.(from, to)).toEqual(bytes.slice(from, to));
      }
      // one row behind the other, as a digest reads them
      for (const [which, bytes] of parts.entries())
        for (let at = 0; at < bytes.length; at += 7) expect(kept[which]?.(at, at + 1)[0]).toBe(bytes[at]);
    }),
    { numRuns: 200 },
  );
});

test("where no file can be made, everything stays in memory", () => {
  const keep = letterFile(join(folder, "nowhere"), 0);
  const read = keep(Uint8Array.of(1, 2, 3));
  expect(read(1, 3)).toEqual(Uint8Array.of(2, 3));
});

test("a row longer than what is read ahead comes whole", () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251);
  const read = letterFile(folder, 0)(bytes);
  for (const [from, to] of [
    [0, 4],
    [4, 200_000],
    [200_000, 300_000],
    [7, 9],
  ] as const)
    expect(Buffer.compare(read(from, to), bytes.subarray(from, to))).toBe(0);
});
