import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { z } from "zod";
import { distance, golden, petl, temporaryFolder } from "./run-petl.fake.ts";

const adapter = join(golden, "adapters/bert-lora");
const goldenFile = z.looseObject({ base: z.string().optional(), logits: z.array(z.array(z.number())) });
const rowsFile = z.object({ rows: z.array(z.looseObject({ input_ids: z.array(z.int()) })) });
const rowLogits = z.object({ logits: z.array(z.number()) });
const read = (folder: string): unknown => JSON.parse(readFileSync(join(folder, "golden.json"), "utf8"));

test.concurrent("an ONNX file lies where transformers.js looks for it, and computes alone what PEFT computes", async () => {
  const out = join(temporaryFolder(), "out");
  const { base = "", logits } = goldenFile.parse(read(adapter));
  const path = join(golden, "models", base);
  const { code } = await petl([
    "merge",
    "--base",
    path,
    "--adapter",
    adapter,
    "--to",
    "onnx",
    "--out",
    out,
    "--threads",
    "1",
  ]);
  expect(code).toBe(0);
  expect(readdirSync(out).sort()).toEqual(["config.json", "onnx"]); // the golden base has no tokenizer
  expect(readdirSync(join(out, "onnx"))).toEqual(["model.onnx"]);

  const session = await ort.InferenceSession.create(join(out, "onnx/model.onnx"));
  const [{ input_ids: ids } = { input_ids: [] }] = rowsFile.parse(read(path)).rows; // the first row is one text
  const wide = (values: readonly number[]) =>
    new ort.Tensor("int64", BigInt64Array.from(values.map(BigInt)), [1, ids.length]);
  const found = await session.run({
    input_ids: wide(ids),
    attention_mask: wide(ids.map(() => 1)),
    token_type_ids: wide(ids.map(() => 0)),
  });
  await session.release();
  // float32 of another library: the same sums in another order
  expect(distance(Array.from(found.logits?.data ?? [], Number), logits[0])).toBeLessThan(1e-5);
});

test.concurrent("with inputs for adapters the adapter lies beside the file, and petl reads it from there", async () => {
  const out = join(temporaryFolder(), "out");
  const { base = "", logits } = goldenFile.parse(read(adapter));
  const path = join(golden, "models", base);
  const merge = ["merge", "--base", path, "--adapter", adapter, "--threads", "1", "--out", out, "--adapter-inputs"];
  const refused = await petl(merge);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("give --to onnx or onnx-with-past")]);
  expect((await petl([...merge, "--to", "onnx"])).code).toBe(0);
  expect(readdirSync(out).sort()).toEqual(["adapter", "config.json", "onnx"]);
  expect(readdirSync(join(out, "adapter")).sort()).toEqual(["adapter.onnx_adapter", "adapter_config.json"]);
  const rows = join(out, "rows.jsonl");
  writeFileSync(
    rows,
    rowsFile
      .parse(read(path))
      .rows.map((row) => JSON.stringify(row))
      .join("\n"),
  );
  const beside = ["--adapter", join(out, "adapter"), "--input", rows, "--threads", "1"];
  const { stdout } = await petl(["logits", "--base", path, ...beside]);
  const found = stdout
    .trim()
    .split("\n")
    .map((line) => rowLogits.parse(JSON.parse(line)).logits);
  // LoRA's scale is in its B there, and float32 is rounded once more
  expect(Math.max(...found.map((row, at) => distance(row, logits[at])))).toBeLessThan(1e-5);
});
