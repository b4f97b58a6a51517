// Files of at most 1 MB that were made to stop a process: each must be read or refused; refused within 1 s of the processor
// and with at most 64 MB of memory beyond the file. Each is given to a process of its own.
//   node scripts/hostile.mjs [--slack N] [FORMAT …]        after npm run build
// With --slack N so many times the seconds are allowed, for a machine that does other work too.
// Prints a line for each file, and exits with 1 where a promise is broken.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { core, parsers } from "./parsers.mjs";

const promise = { seconds: 1, bytes: 64 * 2 ** 20 };
const size = 1e6;
const bytes = (text) => new TextEncoder().encode(text);
const filled = (unit, head = "", tail = "") =>
  bytes(head + unit.repeat(Math.floor((size - head.length - tail.length) / unit.length)) + tail);
const numbered = (line) => {
  const lines = [];
  for (let length = 0, i = 0; length < size - 100; i++) length += lines[lines.push(line(i)) - 1].length;
  return lines;
};
const json = (value) => bytes(JSON.stringify(value));
const u64 = (value) => new Uint8Array(new BigUint64Array([BigInt(value)]).buffer);
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const headed = (header) => joined(u64(header.length), header);

const seedOf = async (name) => JSON.parse(new TextDecoder().decode((await parsers[name].seeds())[0]));
const changed = async (name, change) => json({ ...(await seedOf(name)), ...change });

/** Tables of rows: what is read by the file's ending. */
const tables = {
  csv: {
    seed: () => bytes("text,label\na,1\n"),
    files: {
      "one line of commas": () => filled(",", "a,b\n"),
      "an open quote": () => filled("a", 'text,label\n"'),
      "quotes in quotes": () => filled('""', 'text,label\n"', "x"),
      "many columns": () =>
        bytes(
          `${numbered((i) => `c${i}`)
            .slice(0, 60_000)
            .join(",")}\n1\n`,
        ),
      "rows that are too short": () => filled("a\n", "text,label,more\n"),
      "nothing but line ends": () => filled("\n", "a"),
      zeros: () => new Uint8Array(size),
      "a name many times": () => bytes(`${"a,".repeat(250_000)}a\n${"1,".repeat(200_000)}`),
    },
  },
  tsv: { seed: () => bytes("text\tlabel\na\t1\n"), files: { "one line of tabs": () => filled("\t", "a\tb\n") } },
  jsonl: {
    seed: () => bytes('{"text":"a","label":1}\n'),
    files: {
      "lists in lists": () => filled("["),
      "objects in objects": () => filled('{"a":'),
      "an open text": () => filled("a", '{"text":"'),
      "a long number": () => filled("9", '{"text":', "}"),
      "many keys": () => bytes(`{${numbered((i) => `"k${i}":1,`).join("")}"z":1}`),
      "one key many times": () => filled('"text":1,', "{", '"a":1}'),
      "empty objects": () => filled("{}\n"),
      "half pairs": () => filled('"\\ud800"\n'),
    },
  },
  json: {
    seed: () => bytes('[{"text":"a","label":1}]'),
    files: {
      "lists in lists": () => filled("["),
      "numbers for rows": () => filled("0,", "[", "0]"),
      "empty rows": () => filled("{},", "[", "{}]"),
      "a list of one text": () => filled("a", '["', '"]'),
    },
  },
  conll: { seed: () => bytes("EU B-ORG\n"), files: { "one line of blanks": () => filled(" ", "a") } },
  txt: {
    seed: () => bytes("a film\n"),
    files: { "lines of nothing": () => filled("\n"), zeros: () => new Uint8Array(size) },
  },
  "csv.gz": {
    seed: () => new Uint8Array(gzipSync("text,label\na,1\n")),
    files: {
      "a bomb": () => new Uint8Array(gzipSync(Buffer.alloc(500e6, "a,b\n"), { level: 9 })),
      "a cut one": () => new Uint8Array(gzipSync(Buffer.alloc(20e6, "a,b\n"))).slice(0, -20),
    },
  },
  xlsx: {
    seed: () => bytes("PK"),
    files: { "no workbook": () => filled("PK\u0003\u0004"), "an end with entries without end": () => endOfZip(65_535) },
  },
  parquet: {
    seed: () => bytes("PAR1"),
    files: {
      "a footer of anything": () =>
        joined(bytes("PAR1"), new Uint8Array(900_000).fill(0x19), u64(900_000).slice(0, 4), bytes("PAR1")),
      "a footer of lists": () =>
        joined(bytes("PAR1"), new Uint8Array(900_000).fill(0xf9), u64(900_000).slice(0, 4), bytes("PAR1")),
      "a footer beyond the file": () => joined(bytes("PAR1"), u64(4e9).slice(0, 4), bytes("PAR1")),
      "texts of great length": () =>
        joined(bytes("PAR1"), new Uint8Array(900_000).fill(0xff), u64(900_000).slice(0, 4), bytes("PAR1")),
    },
  },
};

/** What comes with models and adapters; whole files to begin with stand with the parsers. */
const models = {
  config: {
    "layers without end": () => changed("config", { num_hidden_layers: 2 ** 31 }),
    "heads without end": () => changed("config", { num_attention_heads: 2 ** 30 }),
    "a vocabulary beyond memory": () => changed("config", { vocab_size: 2 ** 40 }),
    "many labels": () =>
      changed("config", {
        id2label: Object.fromEntries(
          numbered((i) => `l${i}`)
            .slice(0, 60_000)
            .map((l, i) => [i, l]),
        ),
      }),
    "lists in lists": () => filled("["),
  },
  tokenizer: {
    "a word of many letters": async () =>
      changed("tokenizer", { added_tokens: [{ id: 1, content: "a".repeat(900_000), special: true }] }),
    "normalizers in normalizers": () =>
      changed("tokenizer", { normalizer: nested(2000, (inner) => ({ type: "Sequence", normalizers: [inner] })) }),
    "a pattern that goes back": () =>
      changed("tokenizer", {
        pre_tokenizer: { type: "Split", pattern: { Regex: "(a+)+(a+)+(a+)+b" }, behavior: "Isolated" },
      }),
    "a pattern of great counts": () =>
      changed("tokenizer", {
        pre_tokenizer: { type: "Split", pattern: { Regex: "((a{1000}){1000}){1000}" }, behavior: "Isolated" },
      }),
    "many added tokens": () =>
      changed("tokenizer", {
        added_tokens: numbered((i) => `<t${i}>`)
          .slice(0, 12_000)
          .map((content, i) => ({ id: i + 1e6, content, special: true })),
      }),
    "ids without end": () => changed("tokenizer", { added_tokens: [{ id: 2 ** 40, content: "<x>", special: true }] }),
    "a map of characters that is none": () =>
      changed("tokenizer", { normalizer: { type: "Precompiled", precompiled_charsmap: "A".repeat(900_000) } }),
  },
  vocab: {
    "one long word": () => filled("a"),
    "empty words": () => filled("\n"),
    "one word many times": () => filled("a\n"),
  },
  merges: { "one long line": () => filled("a "), "the same merge": () => filled("a b\n", "#version: 0.2\n") },
  chat: {
    "loops in loops": () =>
      bytes(
        "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}x{% endfor %}{% endfor %}{% endfor %}",
      ),
    "a text that doubles": () =>
      bytes(
        `{% set ns = namespace(t='xxxxxxxxxxxxxxxx') %}{% for a in range(60) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}{{ ns.t }}`,
      ),
    "a list that doubles": () =>
      bytes(
        "{% set ns = namespace(t=[1,2,3]) %}{% for a in range(60) %}{% set ns.t = ns.t + ns.t %}{% endfor %}{{ ns.t | length }}",
      ),
    "a macro of itself": () => bytes("{% macro m(x) %}{{ m(x) }}{{ m(x) }}{% endmacro %}{{ m(1) }}"),
    "brackets in brackets": () => bytes(`{{ ${"(".repeat(30_000)}1${")".repeat(30_000)} }}`),
    "additions without end": () => bytes(`{{ ${"1+".repeat(32_000)}1 }}`),
    "blocks in blocks": () => bytes("{% if true %}".repeat(5000)),
    "a number beyond all": () => bytes("{% for a in range(10**18) %}x{% endfor %}"),
    "text times a number": () => bytes("{{ 'abcdefghij' * 999999999 }}"),
    "a wide centre": () => bytes("{{ 'a' | center(999999999) }}{{ 'a'.ljust(999999999) }}{{ 'a' | indent(99999999) }}"),
  },
  "adapter-config": {
    "a pattern that goes back": () => changed("adapter-config", { target_modules: "(a+)+(a+)+(a+)+$b" }),
    "a pattern of great counts": () => changed("adapter-config", { target_modules: "(((q{1000}){1000}){1000})" }),
    "a pattern of many ways": () => changed("adapter-config", { target_modules: `(${"a?".repeat(480)})*b` }),
    "many names": () => changed("adapter-config", { target_modules: numbered((i) => `m${i}`).slice(0, 90_000) }),
    "many fields": async () =>
      json({
        ...(await seedOf("adapter-config")),
        ...Object.fromEntries(
          numbered((i) => `use_${i}`)
            .slice(0, 50_000)
            .map((name) => [name, true]),
        ),
      }),
    "many ranks": () =>
      changed("adapter-config", {
        rank_pattern: Object.fromEntries(
          numbered((i) => `r${i}`)
            .slice(0, 50_000)
            .map((name) => [name, 1]),
        ),
      }),
    "lists in lists": () => filled("["),
  },
  pattern: {
    "counts in counts": () => bytes("((((a{99}){99}){99}){99}){99}"),
    "brackets in brackets": () => filled("("),
    "looks in looks": () => bytes(`${"(?=".repeat(500)}a${")".repeat(500)}`),
    "many ways": () => bytes(`(${"(a|aa)".repeat(150)})+b`),
  },
  safetensors: {
    "a header beyond the file": () => joined(u64(2n ** 62n), bytes("{")),
    "a header of lists": () => headed(filled("[")),
    "many tensors of nothing": () =>
      headed(
        bytes(
          `{${numbered((i) => `"t${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`)
            .slice(0, 15_000)
            .join(",")}}`,
        ),
      ),
    "a shape without end": () =>
      headed(bytes(`{"a":{"dtype":"F32","shape":[${"1,".repeat(400_000)}1],"data_offsets":[0,4]}}`)),
    "a size beyond all": () =>
      headed(bytes('{"a":{"dtype":"F32","shape":[9007199254740991,9007199254740991],"data_offsets":[0,4]}}')),
  },
  gguf: {
    "tensors without end": () => joined(bytes("GGUF"), u64(3).slice(0, 4), u64(2n ** 40n), u64(0)),
    "fields without end": () => joined(bytes("GGUF"), u64(3).slice(0, 4), u64(0), u64(2n ** 40n)),
    "lists in lists": () =>
      joined(
        bytes("GGUF"),
        u64(3).slice(0, 4),
        u64(0),
        u64(1),
        u64(1),
        bytes("a"),
        repeated([9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], 70_000),
      ),
    "a list of nothing": () =>
      joined(
        bytes("GGUF"),
        u64(3).slice(0, 4),
        u64(0),
        u64(1),
        u64(1),
        bytes("a"),
        u64(9).slice(0, 4),
        u64(8).slice(0, 4),
        u64(2n ** 50n),
      ),
  },
  "onnx-adapter": { zeros: () => new Uint8Array(size), "one offset everywhere": () => repeated([4, 0, 0, 0], 250_000) },
  torch: {
    "an end with entries without end": () => endOfZip(65_535),
    "no zip": () => filled("PK\u0003\u0004"),
    "a pickle of marks": () => filled("("),
  },
};

function repeated(unit, count) {
  const all = new Uint8Array(unit.length * count);
  for (let at = 0; at < all.length; at += unit.length) all.set(unit, at);
  return all;
}

const nested = (depth, around) => {
  let value = { type: "NFC" };
  for (let i = 0; i < depth; i++) value = around(value);
  return value;
};

/** A zip file's end that announces entries which are all the same bytes. */
function endOfZip(entries) {
  const central = Uint8Array.from([0x50, 0x4b, 1, 2, ...new Array(42).fill(0)]);
  const many = repeated(central, 20_000);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  for (const at of [8, 10]) end.setUint16(at, entries, true);
  end.setUint32(12, many.length, true);
  return joined(many, new Uint8Array(end.buffer));
}

const formats = Object.fromEntries([
  ...Object.entries(tables).map(([name, { seed, files }]) => [
    name,
    { seed, files, read: (file) => readTable(`file.${name}`, file) },
  ]),
  ...Object.entries(models).map(([name, files]) => [
    name,
    { seed: async () => (await parsers[name].seeds())[0], files, read: (file) => parsers[name].read(file) },
  ]),
]);

async function readTable(name, file) {
  const readers = await core("data/tables/readers");
  const { readRows } = await core("data/rows/columns");
  await readRows(await readers.readTable(name, file));
}

/** In a process of its own: reads a whole file first, then the hostile one, and prints what that took. */
async function readOne(format, title) {
  const { seed, files, read } = formats[format];
  const { InputError } = await core("errors");
  await read(await seed()).catch(() => undefined);
  const file = await files[title]();
  globalThis.gc?.();
  const before = process.resourceUsage();
  const held = process.memoryUsage().rss;
  let answer = "read";
  try {
    await read(file);
  } catch (error) {
    answer = error instanceof InputError ? "refused" : `${error?.stack ?? error}`.slice(0, 400);
  }
  const after = process.resourceUsage();
  const seconds = (after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1e6;
  const beyond = Math.max(0, after.maxRSS * 1024 - Math.max(before.maxRSS * 1024, held)) - file.length;
  console.log(JSON.stringify({ answer, seconds, beyond: Math.max(0, beyond), size: file.length }));
}

/** What is wrong with how a file was answered; undefined where nothing is. */
function problemOf({ status, signal, stdout, stderr }, slack) {
  if (status !== 0) return `ended with ${status ?? signal}: ${stderr.slice(-300)}`;
  const { answer, seconds, beyond, size: length } = JSON.parse(stdout.trim().split("\n").at(-1));
  if (length > size + 1000) return `the file has ${length} bytes`;
  if (answer !== "read" && answer !== "refused") return answer;
  if (answer === "refused" && seconds > slack * promise.seconds) return `refused after ${seconds.toFixed(2)} s`;
  if (answer === "refused" && beyond > promise.bytes) return `refused with ${Math.round(beyond / 1e6)} MB`;
  return undefined;
}

function main(slack, names) {
  const self = fileURLToPath(import.meta.url);
  for (const format of names.length > 0 ? names : Object.keys(formats)) {
    if (!formats[format]) throw new Error(`no format ${format}; formats: ${Object.keys(formats).join(", ")}`);
    for (const title of Object.keys(formats[format].files)) {
      const child = spawnSync(process.execPath, ["--expose-gc", self, "--one", format, title], {
        encoding: "utf8",
        timeout: 60_000,
      });
      const problem = problemOf(child, slack);
      const { answer, seconds, beyond } = problem ? {} : JSON.parse(child.stdout);
      console.log(
        `${format}, ${title}: ${problem ?? `${answer}, ${seconds.toFixed(2)} s, ${Math.round(beyond / 1e6)} MB`}`,
      );
      if (problem) process.exitCode = 1;
    }
  }
}

const [flag, ...rest] = process.argv.slice(2);
if (flag === "--one") await readOne(...rest);
else if (flag === "--slack") main(Number(rest[0]), rest.slice(1));
else main(1, process.argv.slice(2));
