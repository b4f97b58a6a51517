import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCsv, readTsv } from "./delimited.ts";
import { rangesOf } from "./file-ranges.ts";
import { parquetParts } from "./parquet.ts";
import { readTable } from "./readers.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (name: string, text: string, options = {}) => readTable(name, bytes(text), options);
const message = (name: string, content: string | Uint8Array, options = {}) =>
  readTable(name, typeof content === "string" ? bytes(content) : content, options).then(
    () => "no error",
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("CSV", () => {
  const cell = fc.oneof(fc.string({ maxLength: 6 }), fc.stringMatching(/^[a,"\n\r ]{0,6}$/), fc.constant('say ""'));
  const grid = fc
    .integer({ min: 1, max: 4 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }));
  const written = (rows: readonly (readonly string[])[], end: string) =>
    rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(",") + end).join("");

  test("what is written with RFC 4180's quotes is read back as it was", () => {
    fc.assert(
      fc.property(grid, fc.constantFrom("\n", "\r\n", "\r"), (rows, end) => {
        const text = written(rows, end);
        const table = readCsv("t.csv", bytes(text), { header: false });
        const meant = (given: string) => (text.includes("\n") ? given : given.replaceAll("\r", "\n"));
        expect(table.rows.map((row) => Object.values(row))).toEqual(rows.map((row) => row.map(meant)));
      }),
    );
  });

  test("the first line ends outside of quotes, and says what parts cells and ends lines", async () => {
    const rows = [{ text: "a, b, c", label: "x\ny" }];
    expect((await read("t.csv", 'text;label\ra, b, c;"x\ny"\r')).rows).toEqual(rows);
    expect((await read("t.csv", 'sep=;\rtext;label\ra, b, c;"x\ny"\r')).rows).toEqual(rows);
    expect((await read("t.csv", '"text, as\nit was";label\na;b\n')).columns).toEqual(["text, as\nit was", "label"]);
    expect((await read("t.csv", '5" text,label\na;b,c\n')).columns).toEqual(['5" text', "label"]);
  });

  test("empty cells beyond the header's are no cells, however many rows have them", async () => {
    const body = "a,1,,\n".repeat(10_050);
    const { rows } = await read("t.csv", `text,label\n${body}`);
    expect([rows.length, rows[10_049]]).toEqual([10_050, { text: "a", label: "1" }]);
    expect(await message("t.csv", "text,label\na,1,,\nb,1,,2\nc\n")).toBe(
      "InputError: t.csv line 3: 4 columns; the first line has 2; a cell that holds what parts cells needs quotes\nt.csv line 4: 1 columns; the first line has 2",
    );
  });

  test("agrees with csv-parse on files where only some cells are quoted", () => {
    const bare = fc.stringMatching(/^[a-c" ]{0,5}$/).filter((text) => !text.startsWith('"'));
    const quoted = fc.stringMatching(/^[a,\n ]{0,5}$/).map((text) => `"${text}"`);
    const row = fc.array(fc.oneof(bare, quoted), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), fc.boolean(), (rows, ended) => {
        const text = rows.map((cells) => cells.join(",")).join("\n") + (ended ? "\n" : "");
        const theirs: string[][] = parse(text, { relax_quotes: true, skip_empty_lines: true });
        const ours = readCsv("t.csv", bytes(text), { header: false });
        expect(ours.rows.map((cells) => Object.values(cells))).toEqual(theirs);
      }),
    );
  });

  test("a row's line is where it begins, also behind cells that hold line ends and blank lines", async () => {
    const table = await read("t.csv", 'text,label\n"one\ntwo",0\n\r\nthree,1\n"four",0');
    expect([0, 1, 2].map((row) => table.lineOf(row))).toEqual([2, 5, 6]);
    expect(table.placeOf(1)).toBe("t.csv line 5");
    expect(table.rows[0]).toEqual({ text: "one\ntwo", label: "0" });
  });

  test("a byte-order mark belongs to no column, and tabs or semicolons delimit where the header has no comma", async () => {
    expect((await read("t.csv", "\ufefftext,label\r\na,1\r\n")).columns).toEqual(["text", "label"]);
    expect((await read("t.csv", "text;label\na, b;1\n")).rows).toEqual([{ text: "a, b", label: "1" }]);
    expect((await read("t.csv", "text\tlabel\na, b\t1\n")).rows).toEqual([{ text: "a, b", label: "1" }]);
  });

  test("without a header the columns are numbered", async () => {
    const table = await read("t.csv", '"3","a","b"\n"4","c","d"', { header: false });
    expect([table.columns, table.rows.length]).toEqual([["column1", "column2", "column3"], 2]);
  });

  test("rows of another width are all named, ten at most", async () => {
    const rows = Array.from({ length: 13 }, () => "a,1,x");
    const text = await message("t.csv", ["text,label", "b,0", ...rows].join("\n"));
    expect(text.split("\n").slice(0, 1)).toEqual([
      "InputError: t.csv line 3: 3 columns; the first line has 2; a cell that holds what parts cells needs quotes",
    ]);
    expect(text.split("\n").length).toBe(11);
    expect(text).toMatch(/and 3 more like these$/);
  });

  test("an open quote is named where it opens, and text behind a closing one is refused", async () => {
    expect(await message("t.csv", 'text,label\na,1\n"b,0\nc,1\n')).toBe(
      "InputError: t.csv line 3: a quote opens here and never closes",
    );
    expect(await message("t.csv", 'text,label\n"a"b,1\n')).toBe(
      'InputError: t.csv line 2: "b,1" follows a closing quote; a quote inside of a cell is written twice',
    );
  });
});

describe("TSV", () => {
  test("a quote is a letter, as GLUE writes it", async () => {
    const table = await read("t.tsv", 'sentence\tlabel\n"open quote\t1\nhe said "yes" .\t0\r\n"whole"\t1\n');
    expect(table.rows.map((row) => row.sentence)).toEqual(['"open quote', 'he said "yes" .', '"whole"']);
  });

  test("is read as quoted where only that gives rows of one width", async () => {
    const table = await read("t.tsv", 'sentence\tlabel\n"two\nlines"\t1\nplain\t0\n');
    expect(table.rows).toEqual([
      { sentence: "two\nlines", label: "1" },
      { sentence: "plain", label: "0" },
    ]);
    expect(table.lineOf(1)).toBe(4);
  });

  test("is read as quoted where its quotes can only be CSV's", async () => {
    expect((await read("t.tsv", 'text\tlabel\n"he said ""hi"""\t1\nplain\t0\n')).rows[0]).toEqual({
      text: 'he said "hi"',
      label: "1",
    });
    expect((await read("t.tsv", '"text"\t"label"\n"a"\t"1"\n')).columns).toEqual(["text", "label"]);
  });

  test("where both readings are uneven the bare one says which lines", async () => {
    expect(await message("t.tsv", 'a\tb\n"x\t1\ty\n')).toBe(
      "InputError: t.tsv line 2: 3 columns; the first line has 2; a cell that holds what parts cells needs quotes",
    );
  });

  test("empty cells at either end of a row are cells", () => {
    const table = readTsv("t.tsv", bytes("a\tb\tc\n\tx\t\n"));
    expect(table.rows).toEqual([{ a: "", b: "x", c: "" }]);
  });

  test("a name that the header uses twice is refused, and one left empty is called after its place", async () => {
    expect(await message("t.tsv", "text\ttext\na\tb\n")).toBe(
      'InputError: t.tsv line 1: the header names "text" twice',
    );
    expect((await read("t.tsv", "\ttext\n0\ta\n")).columns).toEqual(["column1", "text"]);
  });
});

describe("JSON", () => {
  test("lines and arrays give the same rows, each with the line where it begins", async () => {
    const lines = await read("t.jsonl", '{"text": "a"}\n\n{"text": "b", "label": 1}\r\n');
    const array = await read("t.json", '[\n {"text": "a"},\n\n {"text":\n "b", "label": 1}]\n');
    expect(array.rows).toEqual(lines.rows);
    expect([lines.columns, array.columns]).toEqual([
      ["text", "label"],
      ["text", "label"],
    ]);
    expect([0, 1].map((row) => [lines.lineOf(row), array.lineOf(row)])).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("any array of objects is read as JSON.parse reads it", async () => {
    const rows = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom(0, 2), async (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect((await read("t.json", text)).rows).toEqual(JSON.parse(text));
      }),
    );
  });

  test("a .json file of JSON Lines is read as such", async () => {
    expect((await read("t.json", '{"text": "a"}\n{"text": "b"}\n')).rows.length).toBe(2);
  });

  test("every bad line is named with what it holds", async () => {
    expect(await message("t.jsonl", '{"a": 1}\n{"a": \n[1]\nnull\n')).toBe(
      'InputError: t.jsonl line 2: not JSON: {"a":\nt.jsonl line 3: an array instead of an object\nt.jsonl line 4: null instead of an object',
    );
    expect(await message("t.json", '[{"a": 1},\n{"a": 1 "b"},\n{"a": 3}]')).toBe(
      'InputError: t.json line 2: not JSON: {"a": 1 "b"}',
    );
    expect(await message("t.jsonl", '{"a": 1}\n\ufeff{"a": 2}\n\0\0\n{\u00a0"a": \t1}')).toBe(
      'InputError: t.jsonl line 2: not JSON: \\ufeff{"a": 2}\nt.jsonl line 3: not JSON: \\u0000\\u0000\nt.jsonl line 4: not JSON: {\\u00a0"a": 1}',
    );
    expect(await message("t.json", '[{"a": 1},\n{"a": [2}\n')).toMatch(
      /the array never ends; the row that begins on line 2/,
    );
    expect(await message("t.json", '{"data": [1],\n "version": 2}')).toMatch(/one value with the keys data, version/);
  });
});

describe("every format", () => {
  test("an empty file, a header alone and an unknown ending are said", async () => {
    for (const ending of ["csv", "tsv", "jsonl", "json", "parquet", "conll"])
      expect(await message(`t.${ending}`, "")).toBe(`InputError: t.${ending} is empty`);
    expect(await message("t.csv", "\n\n")).toBe("InputError: t.csv is empty");
    expect(await message("t.tsv", "text\tlabel\n")).toBe("InputError: t.tsv has a header and no rows");
    expect(await message("t.xls", "x")).toMatch(/can't read t.xls; data files end in .csv, .tsv/);
  });

  test("bytes that are not UTF-8 are named by line", async () => {
    const latin = new Uint8Array([...bytes("text,label\na,1\nna"), 0xef, ...bytes("ve,0\n")]);
    expect(await message("t.csv", latin)).toBe(
      'InputError: t.csv line 3: not UTF-8; save the file as UTF-8, or name its encoding, as in `encoding: "latin1"`',
    );
    expect((await readTable("t.csv", latin, { encoding: "latin1" })).rows[1]).toEqual({ text: "naïve", label: "0" });
    const wide = new Uint8Array([0xff, 0xfe, ...[..."text\na"].flatMap((letter) => [letter.charCodeAt(0), 0])]);
    expect((await readTable("t.csv", wide)).rows).toEqual([{ text: "a" }]);
    expect(await message("t.csv", wide.subarray(2))).toMatch('as in UTF-16 without a mark; say `encoding: "utf-16le"`');
    expect(await message("t.csv", latin, { encoding: "latin-9000" })).toMatch(/no encoding is called "latin-9000"/);
  });

  test("CoNLL gives words and tags by sentence", async () => {
    const table = await read(
      "t.conll",
      "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n",
    );
    expect(table.rows).toEqual([
      { tokens: ["EU", "rejects"], tags: ["B-ORG", "O"] },
      { tokens: ["Peter"], tags: ["B-PER"] },
    ]);
    expect(table.lineOf(1)).toBe(6);
    expect(await message("t.conll", "EU B-ORG\nalone\n")).toBe('InputError: t.conll line 2: "alone" has no tag');
  });

  test("lines that end with a carriage return alone, a first line sep=; and an array named .jsonl are read", async () => {
    expect((await read("t.csv", "text,label\ra,1\rb,2")).rows).toHaveLength(2);
    expect((await read("t.csv", "sep=;\r\ntext;label\r\na,b;1\r\n")).rows).toEqual([{ text: "a,b", label: "1" }]);
    expect((await read("t.csv", 'text;"a, b, c"\nx;y\n')).columns).toEqual(["text", "a, b, c"]);
    expect((await read("t.jsonl", '[\n{"a":1},\n{"a":2}\n]')).placeOf(1)).toBe("t.jsonl line 3");
  });

  test("a line of plain text is a row of text", async () => {
    const table = await read("t.txt", "a film\n\na rose");
    expect(table.rows).toEqual([{ text: "a film" }, { text: "a rose" }]);
    expect(table.placeOf(1)).toBe("t.txt line 3");
  });

  test("files behind .gz are unpacked, and refused where they are cut or grow beyond all rows", async () => {
    const packed = gzipSync(bytes("text,label\na,1\n"));
    expect((await readTable("t.csv.gz", packed)).rows).toEqual([{ text: "a", label: "1" }]);
    expect(await message("t.csv.gz", packed.subarray(0, 20))).toMatch(/^InputError: t.csv.gz: .*cut/);
    expect(await message("t.csv.gz", "text\na")).toMatch(/^InputError: t.csv.gz: no gzip file/);
    expect(await message("t.csv.gz", gzipSync(new Uint8Array(60e6)))).toMatch(/unpacks to more than 48 MB/);
  });

  test("each member of a gzip file is held against its checksum", async () => {
    const members = ["text,label\na,1\n", "b,2\n", "c,3\n"].map((text) => gzipSync(bytes(text), { level: 0 }));
    const rows = async () => (await readTable("t.csv.gz", Buffer.concat(members))).rows.map(({ text }) => text);
    expect(await rows()).toEqual(["a", "b", "c"]);
    for (const member of members) {
      const at = member.indexOf(",");
      member[at - 1]! ^= 8; // another letter, which unpacks as well
      await expect(rows()).rejects.toThrow("t.csv.gz: the gzip file is cut or damaged");
      member[at - 1]! ^= 8;
    }
    expect(await rows()).toHaveLength(3);
  });

  test("whole numbers beyond those of JavaScript keep their digits, as texts; strings stay what they are", async () => {
    const row = '{"id": 1234567890123456789, "n": [-9007199254740993, 9007199254740991, 0.1234567890123456, 1e20], ';
    const { rows } = await readTable("t.jsonl", bytes(`${row}"text": "\\" 1234567890123456789 \\\\"}`));
    expect(rows).toEqual([
      {
        id: "1234567890123456789",
        n: ["-9007199254740993", 9007199254740991, 0.1234567890123456, 1e20],
        text: '" 1234567890123456789 \\',
      },
    ]);
    expect(await message("t.jsonl", "{1234567890123456789: 1}")).toMatch(/line 1: not JSON/);
  });

  test("Parquet of every codec is read, and numbers of classes are the names that its metadata give", async () => {
    for (const codec of ["zstd", "gzip", "brotli", "lz4"]) {
      const name = `small-${codec}.parquet`;
      const table = await readTable(name, readFileSync(new URL(`../../../golden/data/${name}`, import.meta.url)));
      expect(table.rows.map(({ sentence, label }) => [sentence, label])).toEqual([
        ["a fine film", "Sports"],
        ["ein Ärgernis", "World"],
        ["良い", "Sports"],
      ]);
      expect(table.classes?.get("label")).toEqual(["World", "Sports"]);
    }
  });

  test("a damaged page of Parquet is refused by its checksum, and bytes that are no text stay bytes", async () => {
    const file = new Uint8Array(readFileSync(new URL("../../../golden/data/small-checksums.parquet", import.meta.url)));
    expect((await readTable("t.parquet", file)).rows[0]).toEqual({ sentence: "a fine film", label: 1 });
    file[Buffer.from(file).indexOf("\v\0\0\0a fine film") + 6]! += 1;
    expect(await message("t.parquet", file)).toMatch(/a page is damaged: its checksum is another$/);
    const other = new Uint8Array(readFileSync(new URL("../../../golden/data/small.parquet", import.meta.url)));
    const letters = Buffer.from(other).toString("latin1");
    for (const { index } of letters.matchAll(/fine film/g)) other[index] = 0xff;
    const table = await readTable("t.parquet", other);
    expect(table.rows.map(({ note }) => note)).toEqual(["x", null, "y"]);
    expect(table.rows[0]?.sentence).toEqual(new Uint8Array([97, 32, 0xff, ...bytes("ine film")]));
  });

  test("Parquet as pyarrow writes it gives plain values", async () => {
    const file = readFileSync(new URL("../../../golden/data/small.parquet", import.meta.url));
    const table = await readTable("small.parquet", file);
    expect(table.rows).toEqual([
      { sentence: "a fine film", label: 1, score: 0.5, input_ids: [101, 7, 102], good: true, note: "x" },
      { sentence: "ein Ärgernis", label: 0, score: -1.25, input_ids: [101, 102], good: false, note: null },
      { sentence: "良い", label: 1, score: 3, input_ids: [101, 8, 9, 102], good: true, note: "y" },
    ]);
    expect(table.placeOf(2)).toBe("small.parquet row 3");
    const told: number[] = [];
    const parts = [];
    for await (const part of parquetParts("small.parquet", rangesOf(file), async (done) => void told.push(done)))
      parts.push(part);
    expect(parts.flatMap(({ rows }) => rows)).toEqual(table.rows);
    expect([parts[0]?.placeOf(2), told[0], told.at(-1)]).toEqual(["small.parquet row 3", 0, table.rows.length]);
    expect(await message("t.parquet", "PAR1 but not really PAR1")).toMatch(/^InputError: t.parquet: /);
  });

  test("Parquet that cannot be read is not called damaged, whichever range it is", async () => {
    const file = rangesOf(readFileSync(new URL("../../../golden/data/small.parquet", import.meta.url)));
    const gone = new Error("the disk is gone");
    let asked = 0;
    const rowsUpTo = async (last: number) => {
      asked = 0;
      const failing = async (start: number, end: number) => {
        if (asked++ === last) throw gone;
        return file.read(start, end);
      };
      let rows = 0;
      for await (const part of parquetParts("t.parquet", { size: file.size, read: failing }, async () => {}))
        rows += part.rows.length;
      return rows;
    };
    expect(await rowsUpTo(-1)).toBe(3);
    for (let last = asked - 1; last >= 0; last--) await expect(rowsUpTo(last)).rejects.toBe(gone);
  });
});

const data = new URL("../../../../../../shared/data/", import.meta.url);
const present = existsSync(data);
const files = present
  ? ["classification/", "pairs/"].flatMap((folder) =>
      readdirSync(new URL(folder, data), { recursive: true, encoding: "utf8" })
        .filter((name) => /\.(tsv|csv|jsonl)$/.test(name))
        .map((name) => folder + name),
    )
  : [];
/** Files without a header whose rows are not all of one width: some of STS-B's name their source. */
const ragged = ["train", "dev", "test"].map((split) => `pairs/sts-b/sts-${split}.csv`);

describe.runIf(present)(present ? "real files" : "real files (skipped: ../shared/data is not here)", () => {
  test.each(files)("%s is read, every row with as many cells as columns", async (name) => {
    const source = readFileSync(new URL(name, data));
    const uneven = ragged.includes(name);
    expect(await message(name, source)).toMatch(uneven ? /line \d+: 9 columns; the first line has 7/ : /^no error$/);
    expect(await message(name, source, { header: !uneven })).toBe("no error");
  });
});

test("what JSON is not, and rows that something holds, are named as such", async () => {
  expect(await message("t.jsonl", '{"text":"a","label":NaN}\n')).toBe(
    "InputError: t.jsonl line 1: NaN is no value of JSON; write null",
  );
  expect(await message("t.json", '{"data":[{"text":"a"}]}')).toMatch(/holds one value with the keys data; expected an/);
  expect((await read("t.csv", "text|label\na, b|1\n")).rows).toEqual([{ text: "a, b", label: "1" }]);
});

test("a file that is no text is refused as what it is, whatever encoding is named", async () => {
  const packed = gzipSync("text,label\na,b\n");
  for (const options of [{}, { encoding: "latin1" }])
    expect(await message("t.csv", packed, options)).toBe(
      "InputError: t.csv begins as a file packed with gzip; put .gz behind its name",
    );
  expect(await message("t.jsonl", bytes("PK\u0003\u0004 …"))).toMatch(/begins as a zip archive, as workbooks are;/);
  expect(await message("t.csv", Uint8Array.of(0xff, 0xfe, 0, 0, 0x74, 0, 0, 0))).toMatch(/begins as UTF-32;/);
});
