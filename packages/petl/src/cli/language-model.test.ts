import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate, openTokenizer, scoreTexts, unadapted } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { directory } from "../disk/files.ts";
import { openBase } from "../library/open-base.ts";
import { openData } from "../library/open-data.ts";
import { writeTinyDecoder } from "../library/tiny-decoder.fake.ts";
import { golden, petl, petlJson } from "./run-petl.fake.ts";

const folder = mkdtempSync(join(tmpdir(), "petl-language-model-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = [
  { prompt: "The Mill is a pub.\n", completion: "It serves fish and chips, and ale." },
  { prompt: "The Fox is dear.\n", completion: "It serves pies." },
  { prompt: "Where is the Mill?\n", completion: "By the river." },
  { prompt: "The Fox is a pub.\n", completion: "It serves pies, and no fish." },
  { prompt: "And the Fox?\n", completion: "Far from it." },
];
const base = await writeTinyDecoder(
  folder,
  rows.map(({ prompt, completion }) => `${prompt}${completion}`),
);

function rowsIn(name: string, written: readonly unknown[]): string {
  const file = join(folder, `${name}.jsonl`);
  writeFileSync(file, written.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return file;
}
const data = rowsIn("rows", rows);

/** What `petl train` says of the steps of one pass over the rows. */
let runs = 0;
async function stepsOf(file: string, ...flags: string[]) {
  const out = join(folder, `run-${runs++}`);
  const how = ["--method", "lora", "--epochs", "1", "--threads", "1", "--no-shuffle", "--out", out];
  const { code, stderr } = await petl(["train", "--base", base, "--data", file, ...how, ...flags]);
  expect(code, stderr).toBe(0);
  const lines = readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

test("evaluate --generate gives the loss and the scores that the library gives", async () => {
  const flags = ["evaluate", "--base", base, "--data", data, "--threads", "1"];
  const [measured] = await petlJson([...flags, "--generate", "--max-tokens", "6", "--answer", "(\\w)", "--batch", "2"]);
  const open = await openBase(base, { threads: 1 });
  const [model, { train: set }] = [await unadapted(open), await openData(data, open, { validation: data })];
  const scores = await scoreTexts(model, set, { maxTokens: 6, answer: /(\w)/u });
  expect(measured).toEqual({ ...(await evaluate(model, set)), ...scores });
  await open.close();
  expect(Object.keys(scores)).toEqual(["texts", "exact_match", "bleu", "rouge_l"]);
  expect(scores.texts).toBe(rows.length);
  const alone = await petl([...flags, "--answer", "(\\w)", "--max-tokens", "6"]);
  expect(alone.stderr).toContain("--answer, --max-tokens: there are no texts without --generate");
  expect(alone.code).toBe(2);
});

test("--loss-on completions learns from their tokens alone, --loss-on all from every token", async () => {
  const tokenizer = await openTokenizer(directory(base));
  const ids = (text: string) => Array.from(tokenizer?.encode(text).inputIds ?? []);
  const tokens = rows.map(({ prompt, completion }) => {
    const [asked, whole] = [ids(prompt), [...ids(prompt + completion), 0]]; // 0 ends a text
    expect(whole.slice(0, asked.length)).toEqual(asked);
    return { input_ids: whole, labels: whole.map((id, token) => (token < asked.length ? -100 : id)) };
  });
  const completions = await stepsOf(rowsIn("completions", tokens));
  const all = await stepsOf(
    rowsIn(
      "all",
      tokens.map(({ input_ids }) => ({ input_ids })),
    ),
  );
  const learnt = (steps: typeof all) => steps.map(({ loss, grad_norm }) => ({ loss, grad_norm }));
  expect(learnt(await stepsOf(data, "--loss-on", "completions"))).toEqual(learnt(completions));
  expect(learnt(await stepsOf(data, "--loss-on", "all"))).toEqual(learnt(all));
  expect(all[0].loss).not.toBe(completions[0].loss);
});

test("--pack puts rows together, and their loss and gradient are those of the rows one by one", async () => {
  const whole = await stepsOf(data, "--batch", "5");
  const packed = await stepsOf(data, "--batch", "5", "--pack", "64");
  expect([whole, packed].map((steps) => steps.length)).toEqual([1, 1]);
  // float32 sums over keys that are hidden and add nothing, in another order
  expect(packed[0].loss / whole[0].loss).toBeCloseTo(1, 6);
  expect(packed[0].grad_norm / whole[0].grad_norm).toBeCloseTo(1, 5);
  expect(packed[0].tokens).toBe(whole[0].tokens);
});

test("what can't be packed is refused, and leaves nothing behind", async () => {
  const [model, texts] = ["models/bert-sequence-classification", "training/data/classification.jsonl"];
  const out = join(folder, "refused");
  const flags = ["--base", join(golden, model), "--data", join(golden, texts), "--method", "lora", "--out", out];
  const { code, stderr } = await petl(["train", ...flags, "--pack", "20"]);
  expect(stderr).toContain("only rows of causal language models are packed; this model is for classification");
  expect(code).toBe(2);
  expect(() => readFileSync(join(out, "run.json"))).toThrow();
});
