import { z } from "zod";
import { InputError } from "../../../errors.ts";
import { cast } from "../../../graph/ops/cast.ts";
import { concat } from "../../../graph/ops/concat.ts";
import { cumSum } from "../../../graph/ops/cum-sum.ts";
import { expand } from "../../../graph/ops/expand.ts";
import { greater } from "../../../graph/ops/greater.ts";
import { not } from "../../../graph/ops/not.ts";
import { reshape } from "../../../graph/ops/reshape.ts";
import { slice } from "../../../graph/ops/slice.ts";
import { sub } from "../../../graph/ops/sub.ts";
import { transpose } from "../../../graph/ops/transpose.ts";
import { scalar, type Value } from "../../../graph/value.ts";
import { visibilityBias } from "../../../nn/attention.ts";
import { choice, count } from "../../../settings/setting.ts";
import { defineMethod } from "../../method.ts";
import { layerList } from "../../options.ts";
import { setsOf } from "../../own-tensors.ts";
import { normal } from "../../parameter.ts";
import { virtualTokenFields } from "../../peft-fields.ts";
import { isChosen } from "../../targets.ts";

/**
 * Prefix tuning: every adapted attention layer sees T learned keys and values in front of the text's own, P: [T, layers ·
 * 2 · width], for the i-th of them the keys at 2i and the values at 2i + 1; width is that of all heads of keys together,
 * which is `hidden` unless groups of heads share them. The text's positions are counted behind the prefix ("shifted"), as
 * PEFT does, or as if it were not there ("unshifted"), as AdapterHub's library does.
 */
export const prefix = defineMethod({
  name: "prefix",
  summary: "puts learned keys and values in front of every attention layer's own",
  source: "Li & Liang 2021, arXiv:2101.00190, section 4; as PEFT stores it, without the training-time network",
  start: { differs: "random prefixes take part in attention from the first step on" },
  rate: 1e-2,
  apart: "a row without a prefix would carry one",
  size: { option: "tokens", limit: "positions" },
  options: {
    tokens: count(20, "length of the prefix"),
    layers: layerList("layers of the stack to adapt: 0,2,4-7, top:K or bottom:K"),
    positions: choice(["shifted", "unshifted"], "shifted", "the text's, behind the prefix or as without it"),
  },
  virtualTokens: ({ tokens, positions }) => (positions === "shifted" ? tokens : 0),
  attention: {
    targets: ({ layer, layers: depth }, { layers }) => isChosen(layer, layers, depth),
    apply({ key, value, bias, seenInFront, added, ...site }, scope, { tokens, layers }) {
      const { heads, headSize, layers: prefixes } = site;
      const width = heads * headSize;
      const all = Array.from({ length: prefixes }, (_, layer) => layer);
      const chosen = all.filter((layer) => isChosen(layer, layers, prefixes));
      const table = scope.shared("prompt_embeddings", [tokens, chosen.length * 2 * width], normal(1));
      const sets = setsOf(table, 2);
      const own = chosen.indexOf(site.layer);
      const batch = key.shape[0] ?? 1;
      const vectors = (at: number): Value => {
        const part = reshape(slice(table, -1, at * width, (at + 1) * width), [sets, tokens, heads, headSize]);
        return expand(transpose(part, [0, 2, 1, 3]), [batch, heads, tokens, headSize]);
      };
      const visible = seenInFront ? windowBias(seenInFront, tokens) : scalar(0);
      return {
        key: concat([vectors(2 * own), key], 2),
        value: concat([vectors(2 * own + 1), value], 2),
        bias: concat([expand(visible, [...bias.shape.slice(0, -1), tokens]), bias], -1),
        added,
      };
    },
  },
  peft: {
    type: "PREFIX_TUNING",
    fields: [...virtualTokenFields, "init_weights", "encoder_hidden_size", "prefix_projection"],
    read(config) {
      const fields = z.looseObject({ num_virtual_tokens: z.int().positive() }).safeParse(config);
      if (!fields.success) throw new InputError("adapter_config.json: num_virtual_tokens must be a positive integer");
      return { tokens: fields.data.num_virtual_tokens };
    },
    write({ tokens, layers, positions }, { sizes }) {
      if (layers !== undefined || positions !== "shifted") return undefined;
      const width = sizes.keyValueHeads * sizes.headSize;
      return {
        num_virtual_tokens: tokens,
        token_dim: width,
        num_transformer_submodules: 1,
        num_attention_heads: sizes.keyValueHeads,
        num_layers: sizes.layers,
        encoder_hidden_size: width,
        prefix_projection: false,
      };
    },
  },
});

/** What hides a prefix from tokens whose window ends behind it.  seenInFront: [batch, tokens] -> [batch, 1, tokens, prefix] */
function windowBias(seenInFront: Value, length: number): Value {
  const [batch = 1, tokens = 1] = seenInFront.shape;
  const places = cumSum(expand(scalar(1, "int32"), [length]), 0);
  const distance = reshape(sub(scalar(length + 1, "int32"), places), [1, 1, 1, length]);
  const near = not(greater(distance, reshape(seenInFront, [batch, 1, tokens, 1])));
  return visibilityBias(cast(near, "float32"));
}
