import { memoryFolder } from "@petl/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { tokenizerDigest, weightsDigest } from "./digests.ts";

const baseOf = (weights: Uint8Array, config = "{}") =>
  memoryFolder("base", { "config.json": config, "model.safetensors": weights });

test("a bit of any weight, or of the configuration, makes another base for studies; the folder's name does not", async () => {
  const weights = Uint8Array.from({ length: 5000 }, (_, at) => (at * 31) % 251);
  const digest = await weightsDigest(baseOf(weights));
  const bits = fc.record({ at: fc.nat(weights.length - 1), bit: fc.nat(7) });
  await fc.assert(
    fc.asyncProperty(bits, async ({ at, bit }) => {
      const other = weights.map((byte, place) => (place === at ? byte ^ (1 << bit) : byte));
      expect(await weightsDigest(baseOf(other))).not.toBe(digest);
    }),
    { seed: 1, numRuns: 200 },
  );
  expect(await weightsDigest(baseOf(weights, '{"a":1}'))).not.toBe(digest);
  const elsewhere = memoryFolder("elsewhere", { "config.json": "{}", "model.safetensors": weights });
  expect(await weightsDigest(elsewhere)).toBe(digest);
});

test("a character of any file that makes tokens makes other tokens for studies; files that nothing reads don't", async () => {
  const files = { "tokenizer.json": '{"model":{}}', "tokenizer_config.json": "{}", "vocab.txt": "[PAD]" };
  const digest = await tokenizerDigest(memoryFolder("base", files));
  const of = (changed: Readonly<Record<string, string>>) =>
    tokenizerDigest(memoryFolder("b", { ...files, ...changed }));
  expect(await of({ "tokenizer.json": '{"model":{} }' })).not.toBe(digest);
  expect(await of({ "tokenizer_config.json": '{"do_lower_case":false}' })).not.toBe(digest);
  expect(await of({ "special_tokens_map.json": "{}" })).not.toBe(digest);
  expect(await of({ "vocab.txt": "[UNK]", "README.md": "" })).toBe(digest); // tokenizer.json is there
});
