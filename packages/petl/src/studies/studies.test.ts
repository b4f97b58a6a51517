import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonical, type StudyRecord, type Summary, studies } from "@petl/core";
import { beforeAll, expect, test } from "vitest";
import { testFolder } from "../library/open-tiny.fake.ts";
import { writeTinyBase } from "../library/tiny-base.fake.ts";
import { type StudyOptions, type StudyProgress, study } from "./study.ts";

const folder = testFolder();
const base = join(folder, "base");
const texts = ["a fine film", "a dull film", "what a fine song", "so dull a song", "fine work", "dull work"];

beforeAll(async () => {
  await writeTinyBase(base, texts, { head: "masked-lm" });
  const rows = Array.from(
    { length: 42 },
    (_, row) => `${texts[row % 6]} ${row},${row % 2 === 0 ? "good" : "<b>bad</b>"}`,
  );
  for (const split of ["train", "test"])
    writeFileSync(join(folder, `${split}.csv`), `text,label\n${rows.join("\n")}\n`);
  writeFileSync(join(folder, "source.txt"), `${texts.join("\n")}\n`);
});

interface Ended {
  readonly out: string;
  readonly summary: Summary;
  readonly worked: number;
  readonly last: StudyProgress | undefined;
}

async function run(name: string, options: Partial<StudyOptions> = {}): Promise<Ended> {
  const out = join(folder, `study-${name}`);
  const source = name === "forgetting" ? { source: join(folder, "source.txt") } : {};
  const given = { base, data: folder, jobs: 1, out, ...source, ...options };
  let worked = 0;
  let last: StudyProgress | undefined;
  for await (const event of study(name, given)) {
    if (event.kind === "start" || event.kind === "record") {
      if (last && event.work > last.work) throw new Error("what is left should never grow");
      last = event;
    }
    if (event.kind === "record") worked++;
    if (event.kind === "end") return { out, summary: event.summary, worked, last };
  }
  throw new Error("a study should end");
}

const recordsOf = (out: string): StudyRecord[] =>
  readFileSync(join(out, "records.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const fields = [
  ...[
    "study",
    "cell",
    "seed",
    "train",
    "score",
    "score_name",
    "scores",
    "loss",
    "trained_parameters",
    "head_parameters",
  ],
  ...["base_parameters", "trainable_ratio", "seconds", "peak_rss_bytes", "adapter_bytes", "phi_sha256", "data_sha256"],
  ...["base_sha256", "petl"],
];

test.each(studies)(
  "$name: every cell once, whole records, the same command again changes nothing, figures and findings come of numbers",
  async ({ name }) => {
    const small = { seeds: 1, ...(name === "compare" && { methods: ["head", "lora"] }) };
    const { out, summary, worked, last } = await run(name, small);
    const records = recordsOf(out);
    expect(worked).toBe(records.length);
    expect(last).toMatchObject({ cells: records.length, done: records.length, running: 0, work: 0 });
    expect(new Set(records.map(({ cell, seed }) => `${canonical(cell)} ${seed}`)).size).toBe(records.length);
    for (const record of records) {
      expect(Object.keys(record)).toEqual(expect.arrayContaining(fields));
      if (record.score !== null) expect(record.scores[record.score_name]).toBe(record.score);
    }
    expect(summary.rows.length).toBe(new Set(records.map(({ cell }) => canonical(cell))).size);
    for (const { mean, low, high } of summary.rows) expect(low <= mean && mean <= high).toBe(true);
    expect(summary.findings.length).toBeGreaterThan(0);
    const page = readFileSync(join(out, "report.html"), "utf8");
    expect(page).not.toContain("<b>bad");
    expect(page).not.toMatch(/(src|href)=/);
    for (const file of readdirSync(join(out, "figures")))
      expect(readFileSync(join(out, "figures", file), "utf8")).not.toMatch(/NaN|undefined/);
    const before = readFileSync(join(out, "records.jsonl"));
    expect((await run(name, small)).worked).toBe(0);
    expect(readFileSync(join(out, "records.jsonl"))).toEqual(before);
  },
);

test("records of a petl that trained otherwise are refused by what differs, and stay", async () => {
  const out = join(folder, "study-older");
  await run("data-size", { seeds: 1, methods: ["head"], out });
  const [path, [first, ...others]] = [join(out, "records.jsonl"), recordsOf(out)];
  const older = [{ ...first, train: { ...first?.train, lr: 0.5 } }, ...others].map(
    (each) => `${JSON.stringify(each)}\n`,
  );
  writeFileSync(path, older.join(""));
  await expect(run("data-size", { seeds: 1, methods: ["head"], out })).rejects.toThrow(/lr 0.5 there, 0.02 now/);
  expect(readFileSync(path, "utf8")).toBe(older.join(""));
});

test("lines that are no record, of another study or base, of no cell, or there twice, are refused and stay", async () => {
  const out = join(folder, "study-mixed");
  const given = { seeds: 1, methods: ["head"], out };
  await run("data-size", given);
  const [path, [first, ...others]] = [join(out, "records.jsonl"), recordsOf(out)];
  for (const [line, said] of [
    [null, /line 1 is no record/],
    [{ ...first, cell: 5 }, /line 1 is no record/],
    [{ ...first, study: "rank" }, /is of the study rank/],
    [{ ...first, base_sha256: "0" }, /was made on other weights/],
    [{ ...first, cell: { method: "head", rows: 5 } }, /is no cell of this study/],
    [others[0], /stands there twice/],
  ] as const) {
    const mixed = [line, ...others].map((each) => `${JSON.stringify(each)}\n`).join("");
    writeFileSync(path, mixed);
    await expect(run("data-size", given)).rejects.toThrow(said);
    expect(readFileSync(path, "utf8")).toBe(mixed);
  }
});

test("another tokenizer is refused by name; a study that was begun without its digest goes on, and has it from then on", async () => {
  const out = join(folder, "study-tokens");
  const given = { seeds: 1, methods: ["head"], out, base: join(folder, "other-tokens") };
  await writeTinyBase(given.base, texts, { head: "masked-lm" });
  await run("data-size", given);
  const [context, tokens] = [join(out, "study.json"), join(given.base, "tokenizer.json")];
  const before = readFileSync(context, "utf8");
  const { tokenizer_sha256: _, ...earlier } = JSON.parse(before);
  writeFileSync(context, JSON.stringify(earlier));
  expect((await run("data-size", given)).worked).toBe(0);
  expect(readFileSync(context, "utf8")).toBe(before);
  writeFileSync(tokens, `${readFileSync(tokens, "utf8")} `);
  await expect(run("data-size", given)).rejects.toThrow(/differs in the base's tokenizer/);
});

test("another setting is refused by name, and so is a folder of other files", async () => {
  const out = join(folder, "study-refused");
  await run("data-size", { seeds: 1, methods: ["head"], out });
  await expect(run("data-size", { seeds: 2, methods: ["head"], out })).rejects.toThrow(/`seeds`: 1 there, 2 now/);
  await expect(run("data-size", { seeds: 1, methods: ["head"], out: folder })).rejects.toThrow(/not of a study/);
});
