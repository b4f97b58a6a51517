import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openBase } from "../library/open-base.ts";
import { testFolder } from "../library/open-tiny.fake.ts";
import { writeTinyBase } from "./tiny-base.ts";

const folder = testFolder();
const sizes = { layers: 1, hidden: 8, heads: 2, maxTokens: 16 };

test("the same seed writes the same bytes, another seed other weights", async () => {
  for (const [name, seed] of [
    ["one", 0],
    ["same", 0],
    ["other", 1],
  ] as const)
    await writeTinyBase(join(folder, name), ["Refunds, please!"], sizes, seed);
  const file = (base: string, name: string) => readFileSync(join(folder, base, name));
  for (const name of readdirSync(join(folder, "one"))) expect(file("same", name).equals(file("one", name))).toBe(true);
  expect(file("other", "model.safetensors").equals(file("one", "model.safetensors"))).toBe(false);
});

test("words share their stems, and any text of known characters becomes known tokens", async () => {
  await writeTinyBase(join(folder, "stems"), ["refund cancel", "refunded cancelled"], sizes, 0);
  const base = await openBase(join(folder, "stems"), { threads: 1 });
  const pieces = (text: string) =>
    Array.from(base.tokenizer?.encode(text).inputIds ?? [], (id) => base.tokenizer?.tokenOf(id));
  expect(pieces("refund")).toEqual(["[CLS]", "refun", "##d", "[SEP]"]);
  expect(pieces("refunded")).toEqual(["[CLS]", "refun", "##ded", "[SEP]"]);
  expect(pieces("quiz 42")).not.toContain("[UNK]");
  expect(base.tokenizer?.vocabularySize).toBe(base.model.sizes.vocabulary);
  await base.close();
});
