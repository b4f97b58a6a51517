import fc from "fast-check";
import { expect, test } from "vitest";
import { readParts, readRows } from "../rows/columns.ts";
import type { Example } from "../rows/examples.ts";
import type { ReadOptions } from "./read-options.ts";
import { readTable } from "./readers.ts";
import { type FilePiece, streamTable, wholeParts } from "./streams.ts";

/** A text's bytes in pieces of whole lines, as a file's are read some bytes at a time. */
async function* piecesOf(bytes: Uint8Array, size: number): AsyncGenerator<FilePiece> {
  let start = 0;
  for (let at = size; at < bytes.length; at += size) {
    const end = bytes.lastIndexOf(10, at - 1) + 1;
    if (end <= start) continue;
    yield { bytes: bytes.slice(start, end), isLast: false };
    start = end;
  }
  yield { bytes: bytes.slice(start), isLast: true };
}

const encoder = new TextEncoder();
async function streamed(name: string, text: string, size: number, options: ReadOptions = {}) {
  const bytes = encoder.encode(text);
  const stream = streamTable(name, bytes, options);
  if (!stream) throw new Error("this file is none that is streamed");
  const { examples, placeOf, columns } = await readParts(stream(() => piecesOf(bytes, size)));
  return { examples: examples.map(plain), columns, places: examples.map((_, row) => placeOf(row)) };
}
/** A row with its text as a field. */
const plain = (example: Example) =>
  example.kind === "text" ? { ...example, kind: example.kind, text: example.text, pair: example.pair } : example;
async function whole(name: string, text: string) {
  const { examples, placeOf, columns } = readRows(await readTable(name, encoder.encode(text)));
  return { examples, columns, places: examples.map((_, row) => placeOf(row)) };
}
const errorOr = async (work: Promise<unknown>) => work.catch((error: unknown) => String(error));
const errorOf = async (work: Promise<unknown>) => work.then(String, (error: unknown) => String(error));

test("a file that comes in pieces has the rows, columns and lines of the whole one", async () => {
  const cell = fc.constantFrom("a", 'say "so"', "two\nlines", "x;y", "é 😀", "", "long ".repeat(9), "\uFEFFb");
  const rows = fc.array(fc.tuple(cell, fc.constantFrom("pos", "neg")), { minLength: 1, maxLength: 12 });
  const ends = fc.constantFrom("\n", "\r\n");
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(rows, ends, fc.integer({ min: 1, max: 60 }), fc.boolean(), async (some, end, size, mark) => {
      const csv = `${mark ? "\uFEFF" : ""}${["text,label,more", ...some.map(([text, label]) => `${quote(text)},${label},`)].join(end)}`;
      expect(await streamed("t.csv", `${csv}${end}`, size)).toEqual(await whole("t.csv", `${csv}${end}`));
      expect(await streamed("t.csv", csv, size)).toEqual(await whole("t.csv", csv));
      const cells = (write: (text: string) => string) =>
        `text\tlabel${end}${some.map(([text, label]) => `${write(text)}\t${label}${end}`).join("")}`;
      for (const tsv of [cells((text) => text.replaceAll(/\s/g, " ")), cells(quote)])
        expect(await errorOr(streamed("t.tsv", tsv, size))).toEqual(await errorOr(whole("t.tsv", tsv)));
      const json = some.map(([text, label]) => `${JSON.stringify({ text, label })}\n`).join("");
      expect(await streamed("t.jsonl", json, size)).toEqual(await whole("t.jsonl", json));
    }),
    { numRuns: 60 },
  );
});

test("what is wrong in a later piece is named by its line in the file", async () => {
  for (const text of ["text,label\na,1\nb,2\nc\n", 'text,label\na,1\nb,2\n"c,3\n', 'text,label\na,1\n"b"c,2\n'])
    expect(await errorOf(streamed("t.csv", text, 8))).toBe(await errorOf(whole("t.csv", text)));
  const json = '{"text":"a"}\n\n{"text":"b"}\n[]\n';
  expect(await errorOf(streamed("t.jsonl", json, 5))).toBe(await errorOf(whole("t.jsonl", json)));
});

test("files that only tell their meaning as a whole are not streamed", () => {
  const is = (name: string, text: string, options: ReadOptions = {}) =>
    streamTable(name, encoder.encode(text), options);
  for (const [name, text] of [
    ["t.csv", "a\tb\n"],
    ["t.json", "[{}]\n"],
    ["t.jsonl", "[\n{}]\n"],
    ["t.csv", "a,b\rc,d\r"],
  ] as const)
    expect(is(name, text), name).toBeUndefined();
  expect(is("t.csv", "a,b\n", { header: false })).toBeUndefined();
  expect(is("t.csv", "a,b\n", { encoding: "utf-16le" })).toBeUndefined();
});

test("a large array is read part by part, with pauses: rows, lines and errors are those of the whole", async () => {
  const rows = Array.from({ length: 30_000 }, (_, row) =>
    JSON.stringify({ text: `row ${row} ${"long ".repeat(18)}`, label: row % 3 }),
  );
  const read = async (content: string) => {
    const bytes = encoder.encode(content);
    const told: number[] = [];
    const parts = wholeParts("t.json", bytes, {})?.(bytes, async (done) => void told.push(done));
    if (!parts) throw new Error("this file is none that is read part by part");
    const { examples, placeOf, columns } = await readParts(parts);
    expect(told.length).toBeGreaterThan(1);
    return { examples: examples.map(plain), columns, places: examples.map((_, row) => placeOf(row)) };
  };
  const text = `\uFEFF [${rows.join(",\n")}]\n`;
  expect(await read(text)).toEqual(await whole("t.json", text));
  const cut = text.slice(0, -9);
  expect(await errorOf(read(cut))).toBe(await errorOf(whole("t.json", cut)));
  expect(wholeParts("t.json", encoder.encode(`${rows[0]}\n`), {})).toBeUndefined();
});
