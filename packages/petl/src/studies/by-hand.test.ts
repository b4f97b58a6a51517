import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { adaptTo, methodsByName, type StudyRecord, takeTensors } from "@petl/core";
import { beforeAll, expect, test } from "vitest";
import { commandLine } from "../cli/command.ts";
import { openTerminal } from "../cli/terminal.ts";
import { verbs } from "../cli/verbs.ts";
import { tensorsDigest } from "../library/digests.ts";
import { loadAdapter } from "../library/load-adapter.ts";
import { openBase } from "../library/open-base.ts";
import { testFolder } from "../library/open-tiny.fake.ts";
import { saveAdapter } from "../library/save.ts";
import { writeTinyBase } from "../library/tiny-base.fake.ts";
import { study } from "./study.ts";

const folder = testFolder();
const base = join(folder, "base");
const source = join(folder, "source.txt");
const texts = ["a fine film", "a dull film", "what a fine song", "so dull a song", "fine work", "dull work"];

beforeAll(async () => {
  await writeTinyBase(base, texts, { head: "masked-lm" });
  const rows = Array.from({ length: 42 }, (_, row) => `${texts[row % 6]} ${row},${row % 2 === 0 ? "good" : "bad"}`);
  for (const split of ["train", "test"])
    writeFileSync(join(folder, `${split}.csv`), `text,label\n${rows.join("\n")}\n`);
  writeFileSync(source, `${texts.join("\n")}\n`);
});

/** The records of a study of few cells, and its folder. */
async function recordsOf(name: string, methods: readonly string[]) {
  const out = join(folder, name);
  const records: StudyRecord[] = [];
  for await (const event of study(name, { base, data: folder, source, methods, seeds: 1, jobs: 1, out }))
    if (event.kind === "record") records.push(event.record);
  return { out, records };
}

/** What a verb prints with --json, as it is called from a shell. */
async function petl(...args: readonly string[]): Promise<Record<string, unknown>> {
  const verb = await verbs.find(({ name }) => name === args[0])?.load();
  if (!verb) throw new Error(`there is no verb ${args[0]}`);
  let printed = "";
  const write = async (text: string) => {
    printed += text;
  };
  const terminal = openTerminal({ stream: { write: () => undefined } });
  const inFlags = (sentence: string) => sentence;
  const context = { print: write, write, terminal, inFlags, signal: new AbortController().signal };
  const line = commandLine([verb], "0", (called, given, operands) => called.start(given, operands, context));
  await line.parseAsync([...args, "--json"], { from: "user" });
  return JSON.parse(printed);
}

/** Trains what a record says, by the command; returns the run's folder. */
async function trained(out: string, { train }: StudyRecord): Promise<string> {
  const [run, config] = [join(out, "by-hand"), join(out, "by-hand.json")];
  const rows = { data: join(out, String(train?.data)), validation: join(out, String(train?.validation)) };
  writeFileSync(config, JSON.stringify({ ...train, ...rows }));
  await petl("train", "--config", config, "--out", run);
  return run;
}

const digestIn = (run: string): string => tensorsDigest(readFileSync(join(run, "adapter_model.safetensors")));
const dataOf = (out: string): string => join(out, "data", "score.jsonl");

test("`petl train` with a comparison's settings gives its Φ to the byte, and `petl evaluate` its score", async () => {
  const { out, records } = await recordsOf("compare", ["lora"]);
  const record = records.find(({ cell }) => cell.rows === undefined);
  if (!record) return expect.fail();
  const run = await trained(out, record);
  expect(digestIn(run)).toBe(record.phi_sha256);
  const { accuracy, loss } = await petl("evaluate", "--base", base, "--adapter", run, "--data", dataOf(out));
  expect({ accuracy, loss }).toEqual({ accuracy: record.score, loss: record.loss });
});

test("a span that is switched off scores as the adapter that stands in the other layers alone, with the same head", async () => {
  const { out, records } = await recordsOf("placement", ["bottleneck"]);
  const whole = records.find(({ cell }) => cell.first === null);
  if (!whole) return expect.fail();
  expect(new Set(records.map(({ phi_sha256 }) => phi_sha256)).size).toBe(1);
  const run = await trained(out, whole);
  expect(digestIn(run)).toBe(whole.phi_sha256);
  const open = await openBase(base, { threads: 1 });
  const { phi, adapted, labels } = await loadAdapter(open, run);
  const goal = { task: adapted.goal.task, labels };
  for (const [span, use] of [
    [{ first: 0, last: 0 }, methodsByName.bottleneck.use({ size: 16, layers: "1" })],
    [{ first: 0, last: 1 }, methodsByName.head.use({})],
  ] as const) {
    const rest = await adaptTo(open, use, goal);
    takeTensors(rest.phi, phi);
    const saved = join(out, `without-${span.last}`);
    await saveAdapter(rest, saved);
    const scored = await petl("evaluate", "--base", base, "--adapter", saved, "--data", dataOf(out));
    const record = records.find(({ cell }) => cell.first === span.first && cell.last === span.last);
    expect(scored.accuracy).toBe(record?.score);
    expect(scored.loss).toBeCloseTo(record?.loss ?? Number.NaN, 6); // a graph without these adapters sums otherwise
  }
  await open.close();
});

test("what is forgotten is the loss of the merged model on the source text", async () => {
  const { out, records } = await recordsOf("forgetting", ["lora"]);
  const record = records.at(-1);
  if (!record) return expect.fail();
  const run = await trained(out, record);
  const merged = join(out, "merged");
  await petl("merge", "--base", base, "--adapter", run, "--out", merged, "--dtype", "float32");
  const { loss } = await petl("evaluate", "--base", merged, "--task", "masked-lm", "--data", source);
  expect(loss).toBeCloseTo(record.source_loss ?? Number.NaN, 5); // float32 sums of a merged and an unmerged product
});
