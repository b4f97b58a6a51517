import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { adaptTo, full, scoreTexts, train, unadapted } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { openBase } from "./open-base.ts";
import { openData } from "./open-data.ts";
import { testFolder } from "./open-tiny.fake.ts";
import { writeTinyDecoder } from "./tiny-decoder.fake.ts";

const rows = [
  { mr: "name[Mill], food[fish]", ref: "The Mill serves fish." },
  { mr: "name[Fox], food[pies]", ref: "The Fox serves pies." },
  { mr: "name[Mill], food[fish]", ref: "Fish is what the Mill has." },
];
const folder = testFolder();
const texts = rows.map(({ mr, ref }) => `${mr}\n${ref}`);
const base = await openBase(await writeTinyDecoder(folder, texts), { threads: 1 });
afterAll(() => base.close());

/** A data set of some of the rows. */
function data(name: string, some: readonly (typeof rows)[number][]) {
  const path = join(folder, name);
  writeFileSync(path, some.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return openData(path, base, { validation: path });
}
const all = await data("all.jsonl", rows);

test("a model that has learnt its rows by heart writes them, and each prompt is scored once, by all its references", async () => {
  const { train: learnt, ...purpose } = await data("learnt.jsonl", rows.slice(0, 2)); // one text for each prompt
  const model = await adaptTo(base, full(), purpose);
  const settings = { steps: 60, batch: 2, lr: 1e-2, schedule: "constant" } as const;
  for await (const _ of train(model, { train: learnt }, settings));
  const done: number[] = [];
  const scores = await scoreTexts(model, all.train, { maxTokens: 32, onText: (count) => done.push(count) });
  expect(scores).toMatchObject({ texts: 2, exact_match: 1, rouge_l: 1 });
  expect(scores.bleu).toBeCloseTo(100, 6); // the exponential of a mean of logarithms
  expect(done).toEqual([1, 2]);
  const loud = await data(
    "loud.jsonl",
    rows.map(({ mr, ref }) => ({ mr, ref: ref.toUpperCase() })),
  );
  const [cased, uncased] = [
    await scoreTexts(model, loud.train, { maxTokens: 32 }),
    await scoreTexts(model, loud.train, { maxTokens: 32, lowercase: true }),
  ];
  expect(cased.bleu).toBeLessThan(50);
  expect(uncased.bleu).toBeCloseTo(100, 6);
  expect(await scoreTexts(model, all.train, { maxTokens: 2, answer: /serves (.+)/u })).toMatchObject({
    exact_match: 0,
  });
});

test("an untrained model's texts are worth nothing", async () => {
  const scores = await scoreTexts(await unadapted(base), all.train, { maxTokens: 8 });
  expect(scores.exact_match).toBe(0);
  expect(scores.bleu).toBeLessThan(5);
});

test("rows without completions are refused", async () => {
  const examples = [{ kind: "tokens", inputIds: Int32Array.of(5, 6) }] as const;
  const tokens = { ...all.train, name: "rows.jsonl", examples };
  await expect(scoreTexts(await unadapted(base), tokens)).rejects.toThrow(
    'rows.jsonl holds no completions to score texts by; its rows need "prompt" and "completion"',
  );
});
