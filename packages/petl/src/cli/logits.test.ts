import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { distance, golden, petlJson, temporaryFolder } from "./run-petl.fake.ts";

const numbers = z.json();
const goldenFile = z.object({
  rows: z.array(z.record(z.string(), z.json())),
  logits: z.array(numbers),
  base: z.string().optional(),
});
const readGolden = (folder: string) => goldenFile.parse(JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")));
const answers = z.array(z.strictObject({ logits: numbers }));
// every head, every architecture, every form of the weights; the rest is tested without a process for each
const models = [
  "bert-sequence-classification-sharded",
  "bert-sequence-classification-bf16",
  "bert-token-classification",
  "bert-masked-lm-untied",
  "roberta-regression",
  "roberta-masked-lm",
  "distilbert-sequence-classification-f16",
];

/** As many rows as given, in a file. */
function inputFile(rows: readonly unknown[]): string {
  const file = join(temporaryFolder(), "rows.jsonl");
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return file;
}

async function logits(folder: string, input: string, ...flags: string[]): Promise<readonly unknown[]> {
  const lines = await petlJson(["logits", "--base", folder, "--input", input, "--threads", "1", ...flags]);
  return answers.parse(lines).map((line) => line.logits);
}

// float32 of another library: the same sums in another order
const rounding = 1e-5;

test.concurrent.each(models)(
  "%s: the logits are transformers', positions outside of the mask left out",
  async (name) => {
    const folder = join(golden, "models", name);
    const { rows, logits: expected } = readGolden(folder);
    expect(distance(await logits(folder, inputFile(rows), "--batch", "3"), expected)).toBeLessThan(rounding);
  },
);

test.concurrent.each(["bert-token-prefix", "distilbert-dora"])(
  "%s on its base: the logits are PEFT's",
  async (name) => {
    const adapter = join(golden, "adapters", name);
    const { base = "", logits: expected } = z
      .object({ base: z.string(), logits: z.array(numbers) })
      .parse(JSON.parse(readFileSync(join(adapter, "golden.json"), "utf8")));
    const folder = join(golden, "models", base);
    const found = await logits(folder, inputFile(readGolden(folder).rows), "--adapter", adapter);
    expect(distance(found, expected)).toBeLessThan(rounding);
  },
);

test.concurrent.each(["bert-sequence-classification", "roberta-token-classification"])(
  "%s: --batch changes no order and no result beyond rounding, over several windows",
  async (name) => {
    // 130 rows of every length; with --batch 2 they are computed in two windows of 50 batches
    const rows = Array.from({ length: 130 }, (_, row) => ({
      input_ids: Array.from({ length: 1 + ((row * 23) % 60) }, (_token, at) => 2 + ((row * 31 + at * 17) % 90)),
    }));
    const [folder, input] = [join(golden, "models", name), inputFile(rows)];
    const [one, two, all] = await Promise.all(
      ["1", "2", "500"].map((batch) => logits(folder, input, "--batch", batch)),
    );
    expect(one).toHaveLength(rows.length);
    // kernels sum in another order where more rows are computed together; logits are below 3
    expect(distance(one, two)).toBeLessThan(2e-6);
    expect(distance(one, all)).toBeLessThan(2e-6);
  },
);
