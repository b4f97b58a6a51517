import { concat } from "../graph/ops/concat.ts";
import { expand } from "../graph/ops/expand.ts";
import { rowsInFront } from "../graph/ops/matmul.ts";
import { transpose } from "../graph/ops/transpose.ts";
import { input, scalar, type Value } from "../graph/value.ts";
import { batchDim, type Dim } from "../tensor/shape.ts";
import { lowest } from "./attention.ts";
import type { Sizes } from "./model.ts";
import type { AttentionSite } from "./sites/attention.ts";

/** How many tokens were computed before, with those that no mask shows. */
export const pastDim = "past";

/** Keys and values of every attention layer, by the names that Hugging Face's ONNX exports give them. */
type KeysAndValues = Readonly<Record<string, Value>>;

/** How keys and values lie in a graph's inputs, and what of them its outputs are. */
interface CacheLayout {
  /** of an input, whose lengths these are */
  order(batch: Dim, heads: Dim, tokens: Dim, size: Dim): readonly Dim[];
  /** An input as attention reads it: [batch, heads, past, head size]. */
  read(past: Value): Value;
  /** An output, of the batch's own keys or values and of all. */
  give(own: Value, all: Value): Value;
  /** tokens in front of the past that no mask shows */
  readonly hidden: number;
}

/** As Hugging Face's exports have it: [batch, heads, past, head size], and what is given is the next token's past. */
export const wholePast: CacheLayout = {
  order: (batch, heads, tokens, size) => [batch, heads, tokens, size],
  read: (past) => past,
  give: (_own, all) => all,
  hidden: 0,
};

/**
 * Token by token, [past, batch, heads, head size], and what is given are the batch's own tokens, [tokens, …], so that they
 * can be written behind the past without a copy of it. In front stands one token that nobody looks at, since there is no
 * product with none; see {@link FusedMatMul}.
 */
export const growingPast: CacheLayout = {
  order: (batch, heads, tokens, size) => [tokens, batch, heads, size],
  read: (past) => transpose(past, rowsInFront(4)),
  give: (own) => transpose(own, [2, 0, 1, 3]),
  hidden: 1,
};

/** Keys and values of the tokens in front of a batch's, so that they are computed once. */
export interface KeyValueCache {
  readonly layout: CacheLayout;
  /** the graph's inputs */
  readonly past: KeysAndValues;
  /** its outputs; they come layer by layer */
  readonly present: Record<string, Value>;
}

/** The names of a layer's keys and values, as inputs and as outputs. */
export const cacheNames = (layer: number) => ({
  past: [`past_key_values.${layer}.key`, `past_key_values.${layer}.value`],
  present: [`present.${layer}.key`, `present.${layer}.value`],
});

/** The cache as a graph's inputs; its outputs come with the attention layers. */
export function keyValueCache({ layers, keyValueHeads, headSize }: Sizes, layout: CacheLayout): KeyValueCache {
  const shape = layout.order(batchDim, keyValueHeads, pastDim, headSize);
  const names = Array.from({ length: layers }, (_, layer) => cacheNames(layer).past).flat();
  return { layout, past: Object.fromEntries(names.map((name) => [name, input(name, "float32", shape)])), present: {} };
}

/** An attention layer's keys and values behind the ones of earlier tokens. */
export function behindPast({ layout, past, present }: KeyValueCache, site: AttentionSite): AttentionSite {
  const names = cacheNames(site.layer);
  const [key = site.key, value = site.value] = [site.key, site.value].map((own, i) => {
    const earlier = past[names.past[i] ?? ""];
    const all = earlier ? concat([layout.read(earlier), own], 2) : own;
    present[names.present[i] ?? ""] = layout.give(own, all);
    return all;
  });
  return { ...site, key, value, bias: hiding(layout.hidden, site.bias) };
}

/** A bias that hides so many keys more, in front of the others. */
function hiding(count: number, bias: Value): Value {
  if (count === 0) return bias;
  return concat([expand(scalar(lowest), [...bias.shape.slice(0, -1), count]), bias], -1);
}
