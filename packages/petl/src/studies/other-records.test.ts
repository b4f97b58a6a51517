import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonical, type StudyRecord, type Summary, studies } from "@petl/core";
import { beforeAll, expect, test } from "vitest";
import { testFolder } from "../library/open-tiny.fake.ts";
import { writeTinyBase } from "../library/tiny-base.fake.ts";
import { dryRun } from "./dry-run.ts";
import { type StudyOptions, study } from "./study.ts";

const folder = testFolder();
const base = join(folder, "base");
const texts = ["a fine film", "a dull film", "what a fine song", "so dull a song", "fine work", "dull work"];
const names = studies.map(({ name }) => name);
const outOf = (name: string) => join(folder, `study-${name}`);
const given = { base, data: folder, seeds: 1, jobs: 1 };

async function run(name: string, options: Partial<StudyOptions> = {}) {
  const out = options.out ?? outOf(name);
  const remarks: string[] = [];
  let summary: Summary | undefined;
  let trained = 0;
  for await (const event of study(name, { ...given, ...options, out })) {
    if (event.kind === "remark") remarks.push(event.text);
    if (event.kind === "record") trained++;
    if (event.kind === "end") ({ summary } = event);
  }
  return { records: recordsIn(out), remarks, trained, summary };
}

const linesOf = (records: readonly unknown[]) => records.map((each) => `${JSON.stringify(each)}\n`).join("");

const recordsIn = (out: string): StudyRecord[] =>
  readFileSync(join(out, "records.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Records in one order, without marks and without what the clock and the machine say. */
const bare = (records: readonly StudyRecord[]): readonly string[] =>
  records.map(({ taken_from: _, ...each }) => canonical({ ...JSON.parse(JSON.stringify(each)), ...noCosts })).sort();
const noCosts = { seconds: 0, peak_rss_bytes: 0 };

/** A folder with a study's records, changed, under its study.json, changed. */
function variantOf(
  name: string,
  change: (record: StudyRecord) => unknown,
  context: Readonly<Record<string, unknown>> = {},
): string {
  const out = join(folder, "variant");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const own = JSON.parse(readFileSync(join(outOf(name), "study.json"), "utf8"));
  writeFileSync(join(out, "study.json"), JSON.stringify({ ...own, ...context }));
  writeFileSync(join(out, "records.jsonl"), linesOf(recordsIn(outOf(name)).map(change)));
  return out;
}

/** Whose records `learning-rate` would take of some folders. */
async function takenFrom(...reuse: readonly string[]): Promise<readonly string[]> {
  const { cells } = await dryRun("learning-rate", { ...given, out: join(folder, "taking"), reuse });
  return cells.flatMap(({ taken_from }) => taken_from ?? []);
}

beforeAll(async () => {
  await writeTinyBase(base, texts, { head: "masked-lm" });
  const rows = Array.from({ length: 42 }, (_, row) => `${texts[row % 6]} ${row},${row % 2 === 0 ? "good" : "bad"}`);
  for (const split of ["train", "test"])
    writeFileSync(join(folder, `${split}.csv`), `text,label\n${rows.join("\n")}\n`);
  for (const name of names) await run(name);
}, 300_000);

test.each(names)(
  "%s ends with the same records where the other studies' are taken over as where it trains all",
  async (name) => {
    const out = join(folder, `shared-${name}`);
    const reuse = names.filter((other) => other !== name).map(outOf);
    const plan = await dryRun(name, { ...given, out, reuse });
    const { records, trained, summary } = await run(name, { out, reuse });
    expect(bare(records)).toEqual(bare(recordsIn(outOf(name))));
    const taken = records.filter(({ taken_from }) => taken_from !== undefined);
    expect(taken.length + trained).toBe(records.length);
    expect(summary?.taken?.reduce((sum, { cells }) => sum + cells, 0) ?? 0).toBe(taken.length);
    const planned = plan.cells.filter(({ taken_from }) => taken_from !== undefined);
    expect(planned.length).toBeLessThanOrEqual(taken.length); // a rate that is not yet chosen may turn out to be another's
    expect((await run(name, { out, reuse })).trained).toBe(0);
  },
);

test("what studies have in common is trained once, and says for ever where", async () => {
  const shared = (name: string) =>
    recordsIn(join(folder, `shared-${name}`)).flatMap(({ taken_from }) => taken_from ?? []);
  expect(shared("data-size").length).toBeGreaterThan(1);
  expect(shared("intrinsic-dimension")).toHaveLength(1);
  expect(shared("rank")).toEqual([]); // its directions need the trained model
  const again = await takenFrom(join(folder, "shared-data-size"));
  expect(again.length).toBeGreaterThan(0);
  expect(again).not.toContain("data-size"); // its own come of other studies
});

test("a study of more seeds takes over its own trainings of fewer, whatever it looks at in them", async () => {
  for (const name of ["rank", "placement", "spectrum"]) {
    const out = join(folder, `more-${name}`);
    const { records } = await run(name, { out, seeds: 2, reuse: [outOf(name)] });
    const [first, second] = [0, 1].map((seed) => records.filter((record) => record.seed === seed));
    expect(bare(first ?? [])).toEqual(bare(recordsIn(outOf(name))));
    expect(first?.every(({ taken_from }) => taken_from === name)).toBe(true);
    expect(second?.some(({ taken_from }) => taken_from !== undefined)).toBe(false);
  }
});

test("a record is taken over only where everything agrees that it was made of", async () => {
  expect((await takenFrom(variantOf("compare", (record) => record))).length).toBeGreaterThan(0);
  const changes: Readonly<Record<string, (record: StudyRecord) => unknown>> = {
    seed: (record) => ({ ...record, seed: 7, train: { ...record.train, seed: 7 } }),
    "its training's seed": (record) => ({ ...record, train: { ...record.train, seed: 7 } }),
    rate: (record) => ({ ...record, train: { ...record.train, lr: 0.123 } }),
    steps: (record) => ({ ...record, train: { ...record.train, steps: 7 } }),
    method: (record) => ({ ...record, train: { ...record.train, method: "ia3" } }),
    option: (record) => ({ ...record, train: { ...record.train, dropout: 0.5 } }),
    rows: (record) => ({ ...record, data_sha256: "0" }),
    petl: (record) => ({ ...record, petl: "0.0.0" }),
  };
  for (const [what, change] of Object.entries(changes))
    expect(await takenFrom(variantOf("compare", change)), what).toEqual([]);
});

test("a folder that tells no tokenizer or has other source text gives nothing, and that is said", async () => {
  for (const [context, said] of [
    [{ tokenizer_sha256: undefined }, /does not tell the base's tokenizer/],
    [{ source_sha256: "0" }, /source text is not this study's/],
  ] as const) {
    const out = join(folder, `said-${Object.keys(context).join()}`);
    const reuse = [variantOf("compare", (record) => record, context)];
    const { records, remarks } = await run("learning-rate", { out, reuse, methods: ["bitfit"] });
    expect(records.every(({ taken_from }) => taken_from === undefined)).toBe(true);
    expect(remarks).toContainEqual(expect.stringMatching(said));
  }
});

test("a folder without a study, of another base or other rows, or with damaged records is refused by what is wrong", async () => {
  const same = (record: StudyRecord) => record;
  for (const [context, said] of [
    [{ base_sha256: "0" }, /differs in the base's weights/],
    [{ tokenizer_sha256: "0" }, /differs in the base's tokenizer/],
    [{ train_sha256: "0" }, /differs in the training rows/],
    [{ score_sha256: "0" }, /differs in the scoring rows/],
    [{ labels: ["good", "bad"] }, /differs in the labels: \["good","bad"\] there/],
    [{ max_length: 5 }, /differs in `maxLength`: 5 there, null now/],
    [{ seeds: "many" }, /is not what petl writes there/],
  ] as const)
    await expect(takenFrom(variantOf("compare", same, context))).rejects.toThrow(said);
  for (const [change, said] of [
    [() => null, /line 1 is no record/],
    [(record: StudyRecord) => ({ ...record, study: "rank" }), /is not of the study in that folder/],
    [(record: StudyRecord) => ({ ...record, base_sha256: "0" }), /is not of the study in that folder/],
  ] as const)
    await expect(takenFrom(variantOf("compare", change))).rejects.toThrow(said);
  await expect(takenFrom(folder)).rejects.toThrow(/`reuse` .* holds no study/);
  await expect(run("compare", { reuse: [outOf("compare")] })).rejects.toThrow(/is the study's own folder/);
});

test("the last line of a study that is still at work, or was killed, is left to it", async () => {
  const variant = variantOf("compare", (record) => record);
  const before = await takenFrom(variant);
  const path = join(variant, "records.jsonl");
  const cut = `${readFileSync(path, "utf8")}{"study":"comp`;
  writeFileSync(path, cut);
  expect(await takenFrom(variant)).toEqual(before);
  expect(before.length).toBeGreaterThan(0);
  expect(readFileSync(path, "utf8")).toBe(cut);
});
