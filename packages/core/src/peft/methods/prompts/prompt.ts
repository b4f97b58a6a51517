import { z } from "zod";
import type { EmbeddingSite } from "../../../nn/sites/embedding.ts";
import { choice, count } from "../../../settings/setting.ts";
import { defineMethod } from "../../method.ts";
import { type Initializer, normal } from "../../parameter.ts";
import { peftFields, virtualTokenFields } from "../../peft-fields.ts";

/**
 * Prompt tuning: the text's word embeddings X are read behind T learned ones, [P; X], P: [T, size]. The virtual tokens take
 * up positions as a text's first tokens do, and a head that reads a text's first vector reads that of the first of them.
 */
export const prompt = defineMethod({
  name: "prompt",
  summary: "puts learned vectors in front of the text's word embeddings",
  source: "Lester et al. 2021, arXiv:2104.08691, section 2",
  start: { differs: "the virtual tokens are read with the text from the first step on" },
  rate: 3e-2,
  apart: "a row without a prompt would carry one",
  size: { option: "tokens", limit: "positions" },
  options: {
    tokens: count(20, "number of virtual tokens"),
    start: choice(["vocabulary", "random"], "vocabulary", "where the virtual tokens start"),
  },
  virtualTokens: ({ tokens }) => tokens,
  prompt: {
    targets: () => true,
    apply(site, scope, { tokens, start }) {
      const initial = start === "random" ? normal(1) : drawnWords(site);
      return scope.shared("prompt_embeddings", [tokens, site.size], initial);
    },
  },
  joins: {
    alike: ({ tokens }) => ({ tokens }),
    widest: ([options]) => ({ tokens: options?.tokens }),
    factor: () => 1,
  },
  peft: {
    type: "PROMPT_TUNING",
    fields: [
      ...virtualTokenFields,
      ...["prompt_tuning_init", "prompt_tuning_init_text", "tokenizer_name_or_path", "tokenizer_kwargs"],
    ],
    read(json) {
      const { num_virtual_tokens: tokens, prompt_tuning_init } = peftFields(config, json);
      return { tokens, start: prompt_tuning_init === "RANDOM" ? "random" : "vocabulary" };
    },
    write: ({ tokens, start }, { sizes }) => ({
      num_virtual_tokens: tokens,
      token_dim: sizes.hidden,
      num_transformer_submodules: 1,
      num_attention_heads: sizes.heads,
      num_layers: sizes.layers,
      prompt_tuning_init: start === "random" ? "RANDOM" : "SAMPLE_VOCAB",
      prompt_tuning_init_text: null,
      tokenizer_name_or_path: null,
    }),
  },
});

const config = z.looseObject({
  num_virtual_tokens: z.int().positive(),
  prompt_tuning_init: z.enum(["RANDOM", "SAMPLE_VOCAB", "TEXT"]).default("RANDOM"),
});

/** Vectors of words as the model reads them, each drawn by itself. */
const drawnWords =
  ({ path, rows, factor }: Pick<EmbeddingSite, "path" | "rows" | "factor">): Initializer =>
  async ({ read, random, shape: [tokens = 1, size = 1] }) => {
    const vectors = await read(`${path}.weight`);
    const out = new Float32Array(tokens * size);
    for (let at = 0; at < tokens; at++) {
      const row = random.integer(rows);
      const word = vectors.subarray(row * size, (row + 1) * size);
      out.set(
        word.map((number) => number * factor),
        at * size,
      );
    }
    return out;
  };
