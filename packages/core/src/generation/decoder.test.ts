import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { goldenBase, goldenJson, goldenPath } from "../checkpoints/golden.fake.ts";
import { uncopied } from "../graph/uncopied.ts";
import type { Value } from "../graph/value.ts";
import { nodesOf } from "../graph/walk.ts";
import { growingPast, keyValueCache } from "../nn/cache.ts";
import { adapt } from "../peft/adapt.ts";

const bases = new Set(
  readdirSync(goldenPath("generation"))
    .map((file) => goldenJson(`generation/${file.replace(/\.json$/, "")}.json`).base)
    .filter((base): base is string => typeof base === "string"),
);

test.each([...bases])("%s: a token's graph has each weight in one product alone", async (folder) => {
  const { base } = await goldenBase(folder);
  const cache = keyValueCache(base.model.sizes, growingPast);
  const { logits } = adapt(base, [], { task: "causal-lm", labels: 1 }).forward({ cache });
  const products = nodesOf([logits, ...Object.values(cache.present)]).flatMap(({ operator, inputs }) =>
    operator.type === "FusedMatMul" ? inputs.filter(({ source }) => source.kind === "weight") : [],
  );
  expect(products.length).toBeGreaterThanOrEqual(4 * base.model.sizes.layers);
  expect(new Set(products).size).toBe(products.length);
});

test.each([...bases])("%s: a token's graph reads all earlier keys and values as they lie", async (folder) => {
  const { base } = await goldenBase(folder);
  const cache = keyValueCache(base.model.sizes, growingPast);
  const { logits } = adapt(base, [], { task: "causal-lm", labels: 1 }).forward({ cache });
  const nodes = nodesOf(uncopied([logits, ...Object.values(cache.present)]));
  const readers = (value: Value): string[] =>
    nodes.flatMap(({ operator, inputs, outputs }) =>
      inputs.includes(value) ? (operator.type === "Reshape" ? outputs.flatMap(readers) : [operator.type]) : [],
    );
  const past = Object.values(cache.past);
  expect(past.length).toBe(2 * base.model.sizes.layers);
  for (const each of past) expect(readers(each)).toEqual(["FusedMatMul"]);
});
