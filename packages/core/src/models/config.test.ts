import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { goldenJson, goldenPath } from "../checkpoints/golden.fake.ts";
import { InputError } from "../errors.ts";
import { modelOf } from "./models.ts";

const configOf = (name: string) => goldenJson(`models/${name}/config.json`);
const llama = configOf("llama-causal-lm");
const refused: readonly (readonly [string, object, string])[] = [
  ["bert-base", { num_attention_heads: 7 }, "num_attention_heads: 7 heads do not divide hidden_size"],
  ["distilbert-base", { n_heads: 7 }, "n_heads: 7 heads do not divide dim"],
  ["gpt2-base", { n_head: 7 }, "n_head: 7 heads do not divide n_embd"],
  ["llama-causal-lm", { num_key_value_heads: 3 }, "num_key_value_heads: 3 do not divide num_attention_heads"],
  ["llama-causal-lm", { head_dim: 3 }, "head_dim: 3 numbers of a head are turned; they turn in pairs"],
  ["llama-causal-lm", { num_hidden_layers: 1e9 }, "num_hidden_layers: too big"],
  ["llama-causal-lm", { vocab_size: 2 ** 40 }, "vocab_size: too big"],
  ["llama-causal-lm", { pad_token_id: 1e6 }, "pad_token_id: 1000000 is no token; vocab_size is"],
  ["gemma2-causal-lm", { layer_types: ["full_attention"] }, "layer_types: 1 for"],
  [
    "phi3-causal-lm-longrope",
    { num_attention_heads: 1, num_key_value_heads: 1 },
    "rope_scaling: short_factor and long_factor need",
  ],
  ["roberta-base", { max_position_embeddings: 2 }, "max_position_embeddings: 2 leave none for text"],
];

test.each(refused)("%s with %j is refused by its field", (name, changes, message) => {
  expect(() => modelOf({ ...configOf(name), ...changes })).toThrow(InputError);
  expect(() => modelOf({ ...configOf(name), ...changes })).toThrow(`config.json: ${message}`);
});

test("all that does not go together is told at once", () => {
  expect(() => modelOf({ ...llama, num_key_value_heads: 3, pad_token_id: 1e6 })).toThrow(
    /num_key_value_heads.*\n.*pad_token_id/,
  );
});

test("every golden configuration is one that goes together", () => {
  const names = readdirSync(goldenPath("models"));
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(modelOf(configOf(name)).sizes.layers).toBeGreaterThan(0);
});

test("a kind whose part for text is known is named by it, not by a kind that is spelled alike", () => {
  expect(() => modelOf({ ...llama, model_type: "gemma3" })).toThrow(
    'petl loads its part for text alone, "gemma3_text"',
  );
  expect(() => modelOf({ ...llama, model_type: "lama" })).toThrow('did you mean "llama"?');
});
