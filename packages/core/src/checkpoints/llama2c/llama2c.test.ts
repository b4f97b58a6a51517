import { expect, test } from "vitest";
import { gathered } from "../../containers/chunks.ts";
import { memoryFolder, memorySource } from "../../containers/folder.ts";
import { readBase } from "../hf-model.ts";
import { isLlama2c, llama2cModel } from "./llama2c.ts";

const header = [4, 6, 1, 1, 1, 3, 2]; // hidden 4, inner 6, one layer, one head of 4, three pieces, two tokens
const count = 3 * 4 + 4 + 4 * 16 + 4 + 3 * 24 + 4 + 2 * 4;

function file(numbers: readonly number[] = header, floats = count): Uint8Array {
  const values = Float32Array.from({ length: floats }, (_, at) => at);
  const bytes = new Uint8Array(28 + values.byteLength);
  bytes.set(new Uint8Array(Int32Array.from(numbers).buffer));
  bytes.set(new Uint8Array(values.buffer), 28);
  return bytes;
}

test("a checkpoint becomes a Llama whose query and key rows are in halves, and every other tensor keeps its values", async () => {
  const files = await llama2cModel(memorySource("tiny.bin", file()));
  const folder = { ...files, "model.safetensors": await gathered(files["model.safetensors"]) };
  const base = await readBase(memoryFolder("tiny", folder));
  expect(base.model.sizes).toMatchObject({ layers: 1, hidden: 4, heads: 1, vocabulary: 3, trainedTokens: 2 });
  const rows = (first: number, order: readonly number[]) =>
    Float32Array.from(order.flatMap((row) => [0, 1, 2, 3].map((column) => first + 4 * row + column)));
  const at = (name: string) => base.read(`model.layers.0.self_attn.${name}.weight`);
  expect(await at("q_proj")).toEqual(rows(16, [0, 2, 1, 3]));
  expect(await at("k_proj")).toEqual(rows(32, [0, 2, 1, 3]));
  expect(await at("v_proj")).toEqual(rows(48, [0, 1, 2, 3]));
  expect(await base.read("model.norm.weight")).toEqual(Float32Array.of(156, 157, 158, 159));
});

test("a negative vocabulary says that the output layer has a table of its own", async () => {
  const untied = file([4, 6, 1, 1, 1, -3, 2], count + 12);
  const files = await llama2cModel(memorySource("tiny.bin", untied));
  expect(JSON.parse(files["config.json"]).tie_word_embeddings).toBe(false);
  const folder = { ...files, "model.safetensors": await gathered(files["model.safetensors"]) };
  const base = await readBase(memoryFolder("tiny", folder));
  expect((await base.read("lm_head.weight"))[0]).toBe(count);
});

test("another length or another beginning is refused", async () => {
  await expect(llama2cModel(memorySource("tiny.bin", file(header, count - 1)))).rejects.toThrow(
    `tiny.bin: has ${28 + 4 * count - 4} bytes; its header calls for ${28 + 4 * count}`,
  );
  await expect(llama2cModel(memorySource("m.bin", file([0, 1, 1, 1, 1, 1, 1])))).rejects.toThrow(
    /no checkpoint of llama2/,
  );
  expect(await isLlama2c(memorySource("tiny.bin", file()))).toBe(true);
  expect(await isLlama2c(memorySource("tiny.bin", file(header, count + 1)))).toBe(false);
});
