import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AdaptOptions, adaptTo, bottleneck, lora, type MethodUse } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { openTiny, testFolder } from "./open-tiny.fake.ts";
import { saveAdapter } from "./save.ts";

const folder = testFolder();
const base = await openTiny(folder);
afterAll(() => base.close());

async function cardOf(
  name: string,
  method: MethodUse,
  labels: readonly string[],
  options?: AdaptOptions,
): Promise<string> {
  const model = await adaptTo(base, method, { task: "classification", labels }, options);
  const out = join(folder, name);
  await saveAdapter(model, out, { training: { dataSha256: "ab12", rows: 24, settings: { lr: 0.001 } } });
  return readFileSync(join(out, "README.md"), "utf8");
}

test("an adapter's folder says what it is, how it was trained and how it is loaded", async () => {
  const card = await cardOf("lora", lora({ rank: 2 }), ["bad", "good"]);
  expect(card).toMatch(/^---\nbase_model: ".*base"\nlibrary_name: peft\npipeline_tag: text-classification\n/);
  for (const text of [
    "bad, good",
    "lora: rank | 2",
    "ab12",
    "| lr | 0.001 |",
    "openBase(",
    "PeftModel.from_pretrained",
  ])
    expect(card).toContain(text);
  expect(card).toContain("--to onnx");
});

test("a method that PEFT has not is said to be petl's own", async () => {
  const card = await cardOf("bottleneck", bottleneck({ size: 4 }), ["bad", "good"]);
  expect(card).toContain("library_name: petl");
  expect(card).not.toContain("PeftModel");
});

test("a head whose pooling Hugging Face has not is what keeps PEFT from reading, and the card says what does", async () => {
  const card = await cardOf("pooled", lora({ rank: 2 }), ["bad", "good"], { pooling: "mean" });
  expect(card).toContain(
    'The head reads pooling "mean", which Hugging Face\'s classes have not; `petl merge --to onnx` writes',
  );
  expect(card).toContain("`--pooling default`");
  expect(card).not.toMatch(/PeftModel|PEFT has no such method|writes a checkpoint/);
});

test("labels cannot write into the card: no line begins and no table has a column that they brought", async () => {
  const plain = await cardOf("plain", lora({ rank: 2 }), ["bad", "good"]);
  const hostile = await cardOf("hostile", lora({ rank: 2 }), ["<b>|x", "a\n# title\n---\n```\n"]);
  const bars = (card: string) => card.split("\n").map((line) => line.split("|").length);
  expect(bars(hostile)).toEqual(bars(plain));
  expect(hostile).not.toContain("<b>");
});
