import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Example, readRows, readTable } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { type ReadEvent, readData } from "./read-data.ts";

const root = mkdtempSync(join(tmpdir(), "petl-read-"));
afterAll(() => rmSync(root, { recursive: true }));
const path = join(root, "large.csv");
const lines = Array.from({ length: 90_000 }, (_, row) => `"row ${row}, ${"long ".repeat(18)}",${row % 3}`);
const text = `text,label\n${lines.join("\n")}\n`;
writeFileSync(path, text);

test("a large file is read in pieces: the same rows at the same lines, told from the beginning to the end", async () => {
  const events: ReadEvent[] = [];
  const { set } = await readData([{ path, weight: 1 }], {}, { onProgress: (event) => events.push(event) });
  const whole = readRows(await readTable("large.csv", new TextEncoder().encode(text)));
  const cells = (example: Example) => (example.kind === "text" ? [example.text, example.label] : []);
  expect(set.examples.map(cells)).toEqual(whole.examples.map(cells));
  expect(set.placeOf(89_999)).toMatch(/large\.csv line 90001$/);
  expect(events.length).toBeGreaterThan(8);
  expect(events.at(-1)).toMatchObject({ done: text.length, of: text.length });
});

test("a large file behind .gz is read in pieces, of all its members, and refused where it is cut", async () => {
  const half = text.indexOf("\n", text.length / 2) + 7; // in the middle of a line
  const packed = Buffer.concat([text.slice(0, half), text.slice(half)].map((part) => gzipSync(part, { level: 0 })));
  const read = async (bytes: Uint8Array) => {
    writeFileSync(`${path}.gz`, bytes);
    return (await readData([{ path: `${path}.gz`, weight: 1 }], {})).set;
  };
  const set = await read(packed);
  expect(set.examples).toHaveLength(90_000);
  expect(set.examples[89_999]).toMatchObject({ text: `row 89999, ${"long ".repeat(18)}`, label: "2" });
  expect(set.placeOf(89_999)).toMatch(/large\.csv\.gz line 90001$/);
  await expect(read(packed.subarray(0, -9))).rejects.toThrow("no gzip file, or one that is cut");
});

test("a large array in one line is read in pieces, plain and behind .gz", async () => {
  const rows = lines.map((_, row) => ({ text: `row ${row}, ${"long ".repeat(18)}`, label: row % 3 }));
  const array = join(root, "large.json");
  writeFileSync(array, JSON.stringify(rows));
  writeFileSync(`${array}.gz`, gzipSync(JSON.stringify(rows), { level: 0 }));
  for (const file of [array, `${array}.gz`]) {
    const told: number[] = [];
    const onProgress = (event: ReadEvent) => told.push(event.done);
    const { set } = await readData([{ path: file, weight: 1 }], {}, { onProgress });
    expect(set.examples.map((example) => example.kind === "text" && example.text)).toEqual(rows.map((row) => row.text));
    expect(told.length).toBeGreaterThan(8);
  }
});

test("a large file of another kind than text is not taken for text", async () => {
  const other = join(root, "large.parquet");
  writeFileSync(other, Buffer.alloc(2 ** 23, 0xff));
  await expect(readData([{ path: other, weight: 1 }], {})).rejects.toThrow("no Parquet file that can be read");
});

test("a signal ends the reading with its reason between two pieces", async () => {
  const control = new AbortController();
  const reason = new Error("enough");
  let told = 0;
  const onProgress = () => {
    told += 1;
    control.abort(reason);
  };
  await expect(readData([{ path, weight: 1 }], {}, { signal: control.signal, onProgress })).rejects.toBe(reason);
  expect(told).toBe(1);
});

test.skipIf(process.platform === "win32")(
  "a pipe or a device is refused: opening it would wait for a writer",
  async () => {
    const pipe = join(root, "pipe.csv");
    execFileSync("mkfifo", [pipe]);
    await expect(readData([{ path: pipe, weight: 1 }], {})).rejects.toThrow("it is a pipe or a device");
  },
);
