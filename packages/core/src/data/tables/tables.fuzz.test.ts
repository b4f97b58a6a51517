import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { InputError } from "../../errors.ts";
import { random } from "../../tensor/random.ts";
import { readRows } from "../rows/columns.ts";
import { readTable, tableExtensions } from "./readers.ts";
import { smallWorkbook } from "./workbook.fake.ts";

const text = (content: string) => new TextEncoder().encode(content);
const golden = (name: string) => new Uint8Array(readFileSync(new URL(`../../../golden/data/${name}`, import.meta.url)));

const jsonRows =
  '{"text":"a fine film","label":1}\n{"messages":[{"role":"user","content":"a"}]}\n{"input_ids":[1,2],"labels":[0,1]}\n';
/** Files that are read, by their endings. */
const valid: Readonly<Record<string, readonly Uint8Array[]>> = {
  csv: [text('text,label\n"one, ""two""\nthree",0\r\nfour,1\n'), text("sep=;\ntext;label\na;b\n")],
  tsv: [text('text\tlabel\na "b"\t0\n"c\td"\t1\n')],
  jsonl: [text(jsonRows), text('{"prompt":"a","completion":"b"}\n{"tokens":["a"],"tags":["B"]}\n')],
  ndjson: [text(jsonRows)],
  json: [text('[{"text":"a","label":1.5},\n{"text":"b","label":null}]')],
  parquet: ["", "-zstd", "-gzip", "-brotli", "-lz4"].map((codec) => golden(`small${codec}.parquet`)),
  conll: [text("-DOCSTART- O\n\nEU B-ORG\nrejects O\n\n# b\nGerman B-MISC\n")],
  xlsx: [smallWorkbook()],
  txt: [text("a film\r\n\na rose\n")],
  "csv.gz": [new Uint8Array(gzipSync("text,label\na,1\nb,2\n"))],
};

/** Numbers that sizes and counts of formats are known to break at. */
const edges = [0, 1, 0x7f, 0x80, 0xff] as const;

/** A file with some of its bytes changed, left out, doubled or moved. */
function mutated(bytes: Uint8Array, seed: number): Uint8Array {
  const numbers = random(seed, "mutations of a table");
  const below = (limit: number) => Math.floor(numbers.uniform() * limit);
  let file = bytes.slice();
  for (let change = below(6); change >= 0 && file.length > 0; change--) {
    const at = below(file.length);
    const end = Math.min(file.length, at + 1 + below(16));
    switch (below(6)) {
      case 0:
        file[at] = below(256);
        break;
      case 1:
        file[at] = edges[below(edges.length)] ?? 0;
        break;
      case 2:
        file = new Uint8Array([...file.subarray(0, at), ...file.subarray(end)]);
        break;
      case 3:
        file = new Uint8Array([...file.subarray(0, end), ...file.subarray(at)]);
        break;
      case 4:
        file = file.slice(0, at);
        break;
      default:
        file.fill(0xff, at, end);
    }
  }
  return file;
}

/** FUZZ_RUNS of these are the long campaign of a release. */
const runs = Number(process.env.FUZZ_RUNS ?? 500);
test("every format takes part", () => {
  expect(tableExtensions.filter((ending) => !(ending in valid))).toEqual([]);
});

for (const [ending, files] of Object.entries(valid)) {
  test(`a mutated .${ending} is read or refused, and does not hang`, { timeout: 20_000 + runs * 50 }, async () => {
    let refused = 0;
    for (let run = 0; run < runs; run++) {
      const file = mutated(files[run % files.length] ?? new Uint8Array(), run);
      try {
        readRows(await readTable(`t.${ending}`, file));
      } catch (error) {
        if (!(error instanceof InputError)) throw new Error(`run ${run} of .${ending}: ${error}`, { cause: error });
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);
  });
}
