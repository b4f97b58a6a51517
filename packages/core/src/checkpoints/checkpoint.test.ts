import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { memoryFolder } from "../containers/folder.ts";
import { safetensorsBytes } from "../containers/safetensors-writer.ts";
import { InputError } from "../errors.ts";
import { float32, int32 } from "../tensor/host-tensor.ts";
import { openCheckpoint } from "./checkpoint.ts";

const a = float32([2], new Float32Array([1, 2]));
const b = int32([1], new Int32Array([3]));
const index = (weight_map: unknown) => JSON.stringify({ metadata: { total_size: 12 }, weight_map });
const [first, second] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

test("one file: its tensors by name", async () => {
  const folder = memoryFolder("base", {
    "model.safetensors": safetensorsBytes([
      ["a", a],
      ["b", b],
    ]),
  });
  const checkpoint = await openCheckpoint(folder);
  expect(checkpoint.folder).toBe(folder);
  expect(checkpoint.files).toEqual(["model.safetensors"]);
  expect([...checkpoint.tensors.keys()].sort()).toEqual(["a", "b"]);
  expect(await checkpoint.readFloat32("a")).toEqual(a.data);
  expect(await checkpoint.read("b")).toEqual(b);
  await expect(checkpoint.read("aa")).rejects.toThrow(new InputError('base: has no tensor "aa"; did you mean "a"?'));
});

test("shards: each tensor from the shard that the index names, whatever else lies in the others", async () => {
  const stale = float32([1], new Float32Array([9]));
  const folder = memoryFolder("base", {
    "model.safetensors.index.json": index({ b: second, a: first }),
    [first]: safetensorsBytes([
      ["a", a],
      ["b", stale],
    ]),
    [second]: safetensorsBytes([["b", b]]),
  });
  const checkpoint = await openCheckpoint(folder);
  expect(checkpoint.files).toEqual([first, second]);
  expect(checkpoint.tensors.get("b")?.file).toBe(second);
  expect([await checkpoint.readFloat32("a"), (await checkpoint.read("b")).data]).toEqual([a.data, b.data]);
});

test("a single file is preferred to an index, as transformers does", async () => {
  const files = { "model.safetensors": safetensorsBytes([["a", a]]), "model.safetensors.index.json": "nonsense" };
  expect((await openCheckpoint(memoryFolder("base", files))).files).toEqual(["model.safetensors"]);
});

describe("a bad index or shard is refused with every problem", () => {
  const place = "base/model.safetensors.index.json";
  const problems = (files: Record<string, Uint8Array | string>) =>
    openCheckpoint(memoryFolder("base", files)).then(
      () => [],
      (error: unknown) => (error instanceof InputError ? error.problems : [`not an InputError: ${error}`]),
    );

  test("missing shards", async () => {
    const files = { "model.safetensors.index.json": index({ b: second, a: first, c: second }) };
    expect(await problems(files)).toEqual([
      `${place}: its shard "${first}" is missing`,
      `${place}: its shard "${second}" is missing`,
    ]);
  });

  test("tensors that are not where they should be", async () => {
    const files = {
      "model.safetensors.index.json": index({ b: first, a: first, c: first }),
      [first]: safetensorsBytes([["a", a]]),
    };
    expect(await problems(files)).toEqual([
      `${place}: tensor "b" is not in "${first}", where the index says it is`,
      `${place}: tensor "c" is not in "${first}", where the index says it is`,
    ]);
  });

  test("broken shards, all of them", async () => {
    const files = { "model.safetensors.index.json": index({ b: second, a: first }), [first]: "", [second]: "x" };
    expect(await problems(files)).toEqual([expect.stringContaining(first), expect.stringContaining(second)]);
  });

  test("shards outside of the folder, and pickles", async () => {
    const names = ["../model.safetensors", "/etc/x.safetensors", "c:x.safetensors", "a\\b.safetensors", "x.bin"];
    const files = {
      "model.safetensors.index.json": index(Object.fromEntries(names.map((name, i) => [`t${i}`, name]))),
    };
    expect(await problems(files)).toEqual(
      names.map((_, i) => `${place}: "weight_map" of "t${i}": must be a plain file name that ends in .safetensors`),
    );
  });

  test.each(["{}", "[]", '{"weight_map": {"a": 1}}', "{"])("%s is no index", async (text) => {
    const found = await problems({ "model.safetensors.index.json": text });
    expect(found).toEqual([expect.stringContaining(place)]);
  });
});

describe("a folder without safetensors weights", () => {
  const message = (files: Record<string, string>) =>
    openCheckpoint(memoryFolder("base", files)).then(
      () => "opened",
      (error: unknown) => String(error),
    );

  test.each(["pytorch_model.bin", "pytorch_model-00001-of-00002.bin"])(
    "only %s: says how to convert it",
    async (file) => {
      expect(await message({ [file]: "" })).toMatch(
        new RegExp(`^InputError: base: .* only ${file}: petl never reads pickles.*safe_serialization=True`),
      );
    },
  );

  test("an adapter: says so", async () => {
    expect(await message({ "adapter_model.safetensors": "" })).toMatch(/this is an adapter/);
  });

  test("anything else: lists its files", async () => {
    expect(await message({ "b.txt": "", "a.txt": "" })).toMatch(
      /InputError: base: neither .*; its files: a.txt, b.txt$/,
    );
  });
});

const minilm = new URL("../../../../../shared/data/checkpoints/all-minilm-l6-v2/", import.meta.url);
test.skipIf(!existsSync(minilm))("a real BERT opens (skipped where the folder of shared data is absent)", async () => {
  const names = readdirSync(minilm);
  const folder = memoryFolder(
    "all-minilm-l6-v2",
    Object.fromEntries(names.map((n) => [n, readFileSync(new URL(n, minilm))])),
  );
  const checkpoint = await openCheckpoint(folder);
  expect(checkpoint.tensors.get("embeddings.word_embeddings.weight")?.shape).toEqual([30522, 384]);
  expect((await checkpoint.readFloat32("encoder.layer.5.output.dense.bias")).length).toBe(384);
});
