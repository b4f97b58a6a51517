import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../errors.ts";
import { isRecord, parsedJson } from "../../values.ts";
import { readParts, readRows } from "../rows/columns.ts";
import type { Example } from "../rows/examples.ts";
import type { ReadOptions } from "./read-options.ts";
import { readTable } from "./readers.ts";
import { streamTable } from "./streams.ts";
import type { Table } from "./table.ts";

/** A file's bytes, some at a time. */
async function* piecesOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

const encoder = new TextEncoder();
/** A file's parts; also what its beginning is refused for comes when they are read. */
async function* partsOf(name: string, bytes: Uint8Array, size: number, options: ReadOptions = {}) {
  const stream = streamTable(name, bytes, options);
  if (!stream) throw new Error("this file is none that is streamed");
  yield* stream(() => piecesOf(bytes, size));
}
async function streamed(name: string, text: string, size: number, options: ReadOptions = {}) {
  const { examples, placeOf, columns } = await readParts(partsOf(name, encoder.encode(text), size, options));
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
    ["t.json", '{"data": [\n{}]}\n'],
    ["t.json", '{"text": "a"}\n'],
    ["t.csv", "a,b\rc,d\r"],
    ["t.jsonl", '{"text": "a"}\r{"text": "b"}\r'],
    ["t.txt", "a\nb\n"],
  ] as const)
    expect(is(name, text), name).toBeUndefined();
  expect(is("t.csv", "a,b\n", { header: false })).toBeUndefined();
});

test("a .json file of a row a line is streamed as JSON Lines are", async () => {
  const text = '\n{"text": "a", "label": 0}\n{"text": "b", "label": 1}\n';
  expect(await streamed("t.json", text, 7)).toEqual(await whole("t.json", text));
});

/** What the rows of a table are, its lines, or why it is refused. */
type Outcome = { readonly rows: readonly unknown[]; readonly lines: readonly number[] } | string;
const outcomeOf = async (parts: AsyncIterable<Table> | Promise<Table>): Promise<Outcome> => {
  const [rows, lines]: [unknown[], number[]] = [[], []];
  try {
    for await (const part of Symbol.asyncIterator in parts ? parts : [parts]) {
      rows.push(...part.rows);
      lines.push(...part.rows.map((_, row) => part.lineOf(row)));
    }
    return { rows, lines };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.message;
  }
};

/** An array with every kind of value, letter of UTF-8, escape and blank, and rows that hold what parts rows. */
const odd = `\uFEFF \t[\r\n {"text": "é€😀\\ud83d\\ude00 \\"[{,]}\\\\", "\\u00e9\\\\": [[], {}, [{"a": [1, -2.5e-3]}]]},
{}\n,\n\n{"a":true,"b":null , "c":"\\\\\\"" }\r\n]\n `;

test("an array cut into pieces anywhere has the rows that JSON.parse gives it", async () => {
  const bytes = encoder.encode(odd);
  const rows = JSON.parse(odd.slice(1));
  expect(await outcomeOf(readTable("t.json", bytes))).toEqual({ rows, lines: [2, 3, 6] });
  for (const encoding of ["utf-8", "utf-16le"] as const) {
    const file = encoding === "utf-8" ? bytes : new Uint8Array(Buffer.from(odd, encoding));
    for (let size = 1; size <= file.length; size++)
      expect(await outcomeOf(partsOf("t.json", file, size))).toEqual({ rows, lines: [2, 3, 6] });
  }
});

test("an array is refused where JSON.parse refuses it, and else read as it does, whichever the pieces are", async () => {
  const letters = fc.constantFrom(...'[]{},:"\\\n\t a1', "", "😀", "\u0000", "\u00a0", "nul", "\r\n");
  const array = fc
    .array(fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 2 })), { maxLength: 3 })
    .map((rows) => JSON.stringify(rows, null, 1));
  const changed = fc
    .tuple(array, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 2 }), letters), { maxLength: 2 }))
    .map(([text, changes]) =>
      changes.reduce((before, [place, gone, come]) => {
        const at = 1 + (place % text.length);
        return before.slice(0, at) + come + before.slice(at + gone);
      }, text),
    );
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(changed, fc.integer({ min: 1, max: 9 }), async (text, size) => {
      const bytes = encoder.encode(text);
      const parsed = parsedJson(text);
      const isRows = Array.isArray(parsed) && parsed.length > 0 && parsed.every(isRecord);
      const found = await outcomeOf(readTable("t.json", bytes));
      expect(typeof found === "string" ? undefined : found.rows).toEqual(isRows ? parsed : undefined);
      const inPieces = await outcomeOf(partsOf("t.json", bytes, size));
      if (isRows) expect(inPieces).toEqual(found);
      else expect(typeof inPieces).toBe("string");
      refused += Number(!isRows);
    }),
    { numRuns: 200 },
  );
  expect(refused).toBeGreaterThan(20);
});

test.each([
  ['[{"a": 1},\n{"a": 2}', "t.json line 2: the array never ends; the row that begins on line 2 is not complete"],
  ['[{"a": 1},\n{"a": "2]\n', "t.json line 3: the array never ends; the row that begins on line 2 is not complete"],
  ['[{"a": 1},\n{"a": 2},\n', "t.json line 3: the array never ends"],
  ['[{"a": 1},\n{"a": 2},\n]', "t.json line 2: a comma that parts no two rows"],
  ['[{"a": 1}\n,,{"a": 2}]', "t.json line 2: a comma that parts no two rows"],
  ["[\n,]", "t.json line 2: a comma that parts no two rows"],
  [
    '[{"a": 1}]\n[{"a": 2}]',
    't.json line 2: another array follows the first one; each line is an object, as {"text": "…", "label": "…"}, or all rows stand in one array',
  ],
  ['[{"a": 1}]]', "t.json line 1: something follows the array's end"],
  ['[{"a": 1},\n{"a": 2]}', "t.json line 2: the array never ends; the row that begins on line 2 is not complete"],
  ['[{"a": 1},\n{"a": 2}}]', 't.json line 2: not JSON: {"a": 2}}'],
  ['[{"a": 1},\n{"a": 2} {"a": 3}]', 't.json line 2: not JSON: {"a": 2} {"a": 3}'],
  ['[{"a": 1},\n[2]]', "t.json line 2: an array instead of an object"],
  ["[\n]", "t.json has no rows"],
])("a broken array is refused by its line, whole or in pieces: %j", async (text, said) => {
  const bytes = encoder.encode(text);
  expect(await outcomeOf(readTable("t.json", bytes))).toBe(said);
  for (let size = 1; size <= bytes.length; size++) expect(await outcomeOf(partsOf("t.json", bytes, size))).toBe(said);
});

test("letters that are not UTF-8 are named by their line, wherever the pieces end", async () => {
  const bytes = new Uint8Array([
    ...encoder.encode('[{"text":"é€😀"},\n{"text":"é'),
    0xe2,
    0x82,
    ...encoder.encode('"}]'),
  ]);
  for (const file of [bytes, bytes.subarray(0, -3)])
    for (let size = 1; size <= file.length; size++)
      expect(await outcomeOf(partsOf("t.json", file, size))).toMatch(/^t\.json line 2: not UTF-8; save the file as/);
});

test("of a file that comes in pieces no more is held than a row is long", async () => {
  async function* endless(first: string, next: string) {
    yield encoder.encode(first);
    for (;;) yield encoder.encode(next);
  }
  const filler = "a b ".repeat(2 ** 18);
  for (const [name, first, said] of [
    ["t.json", '[{"text": "a"},\n{"text": "', "t.json line 2: a row begins here and never ends, or far behind"],
    ["t.jsonl", '{"text": "a"}\n{"text": "', "t.jsonl line 2: a line of more than 32 million letters"],
    ["t.csv", 'text,label\na,b\n"', "t.csv line 3: a line of more than 32 million letters"],
  ] as const) {
    const parts = streamTable(name, encoder.encode(first), {})?.(() => endless(first, filler));
    if (!parts) throw new Error(`${name} is none that is streamed`);
    expect(await outcomeOf(parts)).toBe(said);
  }
});
