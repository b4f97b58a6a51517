import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { distance, golden, petl, petlJson, temporaryFolder } from "./run-petl.fake.ts";

const llama = join(golden, "models", "llama-causal-lm");
const gpt2 = join(golden, "models", "gpt2-causal-lm");
const quantization = z.looseObject({ bits: z.number(), block_size: z.number(), relative_error: z.number() });

const logitsOf = async (...args: string[]) =>
  (await petlJson(["logits", ...args])).map(
    (line) => z.object({ logits: z.array(z.array(z.number())) }).parse(line).logits,
  );

test.each([
  ["llama", llama],
  ["gpt2", gpt2],
])("a base in 4 bits is trained, asked and merged as any other, and says that it is one: %s", async (_, base) => {
  const folder = temporaryFolder();
  const [held, adapter, merged, rows] = ["held", "adapter", "merged", "rows.jsonl"].map((name) => join(folder, name));
  const ids = [1, 17, 4, 39, 22, 8, 5, 30];
  writeFileSync(rows!, `${JSON.stringify({ input_ids: ids })}\n${JSON.stringify({ input_ids: ids.toReversed() })}\n`);

  const [summary] = await petlJson(["quantize", base, "--bits", "4", "--block", "16", "--out", held!, "--json"]);
  expect(quantization.parse(summary)).toMatchObject({ bits: 4, block_size: 16 });
  const { relative_error } = quantization.parse(summary);
  expect(relative_error).toBeGreaterThan(0.02);
  expect(relative_error).toBeLessThan(0.2);
  const [report] = await petlJson(["inspect", held!, "--json", "--no-digests"]);
  expect(z.looseObject({ quantization }).parse(report).quantization).toEqual({
    bits: 4,
    block_size: 16,
    relative_error,
  });

  const data = ["--data", rows!, "--task", "causal-lm", "--steps", "2", "--threads", "1"];
  const train = (...rest: string[]) => petl(["train", "--base", held!, ...data, ...rest]);
  expect(await train("--method", "lora", "--lr", "0.1", "--out", adapter!)).toMatchObject({ code: 0 });
  const refused = await train("--method", "full", "--out", join(folder, "full"));
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("full would train weights that this base holds in 4 bits");

  const { code, stderr } = await petl(["merge", "--base", held!, "--adapter", adapter!, "--out", merged!]);
  expect(code).toBe(0);
  expect(stderr).toContain("lack what rounding took");
  const together = await logitsOf("--base", held!, "--adapter", adapter!, "--input", rows!, "--threads", "1");
  const alone = await logitsOf("--base", merged!, "--input", rows!, "--threads", "1");
  // float32 sums in another order: one matrix for the sum of two, 4 bits in the kernel's own packing
  expect(distance(together, alone)).toBeLessThan(1e-4);
  expect(distance(together, await logitsOf("--base", held!, "--input", rows!))).toBeGreaterThan(1e-3);
});

test("what no block can hold is refused before anything is written", async () => {
  const folder = temporaryFolder();
  const out = join(folder, "held");
  const { code, stderr } = await petl(["quantize", llama, "--bits", "3", "--block", "20", "--out", out]);
  expect(code).toBe(2);
  expect(stderr).toContain('--bits "3" is none of 4, 8');
  expect(stderr).toContain('--block "20" is none of 16, 32, 64, 128, 256');
});
