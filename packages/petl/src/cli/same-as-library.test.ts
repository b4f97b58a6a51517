import { readFileSync } from "node:fs";
import { join } from "node:path";
import { adaptTo, embed, evaluate, generate, lora, predict, train, unadapted } from "@petl/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadAdapter } from "../library/load-adapter.ts";
import { type OpenBase, openBase } from "../library/open-base.ts";
import { openData } from "../library/open-data.ts";
import { openTiny, testFolder, writeRows } from "../library/open-tiny.fake.ts";
import { plan } from "../library/plan.ts";
import { saveAdapter, saveMerged } from "../library/save.ts";
import { writeTinyDecoder } from "../library/tiny-decoder.fake.ts";
import { version } from "../version.ts";
import { commandLine } from "./command.ts";
import { verbs } from "./verbs.ts";

const folder = testFolder();
const texts = ["a fine song", "dull, so dull"];
const [byVerb, byLibrary] = [join(folder, "by-verb"), join(folder, "by-library")];
const rows = writeRows(folder, "rows.csv");
let base: OpenBase;

/** What a verb prints, line by line. */
async function said(verb: string, ...args: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const note = async (line: string) => void lines.push(line);
  const nothing = () => undefined;
  const { signal } = new AbortController();
  const terminal = { line: nothing, progress: nothing, done: nothing };
  const context = { print: note, write: note, terminal, inFlags: (text: string) => text, signal };
  const called = verbs.filter(({ name }) => name === verb);
  const program = commandLine(await Promise.all(called.map(({ load }) => load())), version, (each, given, operands) =>
    each.start(given, operands, context),
  );
  await program.parseAsync([verb, ...args], { from: "user" });
  return lines;
}
const json = (lines: readonly string[]) => lines.map((line) => JSON.parse(line));
const onBase = () => ["--base", base.path, "--threads", "1"];
const asked = () => [...onBase(), "--adapter", byVerb];

beforeAll(async () => {
  base = await openTiny(folder);
  const settings = ["--steps", "4", "--batch", "4", "--lr", "0.01", "--seed", "3", "--validation", "0.25"];
  await said("train", ...onBase(), "--data", rows, "--method", "lora", "--rank", "2", ...settings, "--out", byVerb);
  const data = await openData(rows, base, { validation: 0.25, seed: 3 });
  const model = await adaptTo(base, lora({ rank: 2 }), data, { seed: 3 });
  for await (const _ of train(model, data, { steps: 4, batch: 4, lr: 0.01, seed: 3 }));
  await saveAdapter(model, byLibrary);
});
afterAll(() => base.close());

test("train, evaluate, predict, embed, merge and plan say and write what the library's functions of these names do", async () => {
  const bytesIn = (path: string, file: string) => readFileSync(join(path, file));
  const weights = "adapter_model.safetensors";
  expect(bytesIn(byVerb, weights).equals(bytesIn(byLibrary, weights))).toBe(true);
  const model = await loadAdapter(base, byVerb);
  const measured = await evaluate(model, (await openData(rows, base, { validation: 0 })).train);
  expect(json(await said("evaluate", ...asked(), "--data", rows, "--json"))[0]).toMatchObject({ ...measured });
  const given = texts.flatMap((text) => ["--text", text]);
  expect(json(await said("predict", ...asked(), ...given))).toEqual(
    (await predict(model, texts)).map((answer, at) => ({ ...answer, text: texts[at] })),
  );
  const vectors = json(await said("embed", ...asked(), ...given)).map(({ embedding }) => embedding);
  expect(vectors).toEqual((await embed(model, texts)).map((vector) => [...vector]));
  await said("merge", ...asked(), "--out", join(folder, "merged-by-verb"));
  await saveMerged(model, join(folder, "merged-by-library"));
  for (const file of ["model.safetensors", "config.json"])
    expect(bytesIn(join(folder, "merged-by-verb"), file)).toEqual(bytesIn(join(folder, "merged-by-library"), file));
  expect(json(await said("plan", "--base", base.path, "--json"))[0]).toMatchObject(
    JSON.parse(JSON.stringify(await plan({ base: base.path }))),
  );
});

test("generate says what the library's function does", async () => {
  const path = await writeTinyDecoder(folder, texts);
  const decoder = await openBase(path, { threads: 1 });
  let text = "";
  for await (const token of generate(await unadapted(decoder), "a fine", { maxTokens: 5, temperature: 0 }))
    text += token.text;
  await decoder.close();
  const how = ["--prompt", "a fine", "--max-tokens", "5", "--temperature", "0", "--json"];
  const [answer] = json(await said("generate", "--base", path, "--threads", "1", ...how));
  expect(JSON.stringify(answer)).toContain(JSON.stringify(text).slice(1, -1));
});
