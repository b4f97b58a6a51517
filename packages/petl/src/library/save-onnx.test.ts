import { readFileSync } from "node:fs";
import { join } from "node:path";
import { adaptTo, lora, unadapted } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { openBase } from "./open-base.ts";
import { testFolder } from "./open-tiny.fake.ts";
import { saveOnnx } from "./save.ts";
import { writeTinyDecoder } from "./tiny-decoder.fake.ts";

const folder = testFolder();
const base = await openBase(await writeTinyDecoder(folder, ["The Mill serves fish.", "The Fox serves pies."]), {
  threads: 1,
});
afterAll(() => base.close());

test("what transformers.js would guess otherwise is said: the file's name, and the token in front of a prompt", async () => {
  const out = join(folder, "onnx");
  await saveOnnx(await unadapted(base), out, { past: true });
  const read = (name: string): unknown => JSON.parse(readFileSync(join(out, name), "utf8"));
  expect(read("config.json")).toMatchObject({ "transformers.js_config": { dtype: "fp32" } });
  const own: unknown = JSON.parse(readFileSync(join(base.path, "tokenizer_config.json"), "utf8"));
  expect(base.tokenizer?.framing).toBe(1);
  expect(read("tokenizer_config.json")).toEqual({ add_bos_token: true, ...Object(own) });
});

test("a type of merged weights is refused where the adapter stays apart", async () => {
  const model = await adaptTo(base, lora({ rank: 2 }), { task: "causal-lm", labels: [] });
  const refused = saveOnnx(model, join(folder, "apart"), { adapterInputs: true, dtype: "float16" });
  await expect(refused).rejects.toThrow("`dtype` is for merged weights");
});
