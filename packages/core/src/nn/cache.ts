import { concat } from "../graph/ops/concat.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { slice } from "../graph/ops/slice.ts";
import { transpose } from "../graph/ops/transpose.ts";
import { input, type Value } from "../graph/value.ts";
import { batchDim, type Dim } from "../tensor/shape.ts";
import type { Sizes } from "./model.ts";
import type { AttentionSite } from "./sites.ts";

/** How many tokens were computed before. */
export const pastDim = "past";

/**
 * Keys and values of the tokens in front of a batch's, so that they are computed once: [past, 2 · layers, batch, heads,
 * head size], for layer i the keys at 2i and the values at 2i + 1. Tokens are the first axis, so that what is computed
 * is put behind what is there.
 */
export interface KeyValueCache {
  readonly past: Value;
  /** those of the batch's own tokens, [1, tokens, batch, heads, head size] each, in the order of `past`'s second axis */
  readonly added: Value[];
}

/** The cache as a graph's input. */
export function keyValueCache({ layers, keyValueHeads, headSize }: Sizes): KeyValueCache {
  return { past: input("past", "float32", [pastDim, 2 * layers, batchDim, keyValueHeads, headSize]), added: [] };
}

/** What was added, in `past`'s shape: [tokens, 2 · layers, batch, heads, head size] */
export const addedTo = ({ added }: KeyValueCache): Value => transpose(concat(added, 0), [1, 0, 2, 3, 4]);

/** An attention layer's keys and values behind the ones of earlier tokens; its own are noted in the cache. */
export function behindPast(cache: KeyValueCache, site: AttentionSite): AttentionSite {
  const whole = (own: Value, at: number): Value => {
    cache.added.push(reshape(transpose(own, [2, 0, 1, 3]), [1, ...tokensFirst(own)]));
    const [past = 0, , ...rest] = cache.past.shape;
    const earlier = reshape(slice(cache.past, 1, at, at + 1), [past, ...rest]);
    return concat([transpose(earlier, [1, 2, 0, 3]), own], 2);
  };
  return { ...site, key: whole(site.key, 2 * site.index), value: whole(site.value, 2 * site.index + 1) };
}

const tokensFirst = ({ shape: [batch = 1, heads = 1, tokens = 1, size = 1] }: Value): readonly Dim[] => [
  tokens,
  batch,
  heads,
  size,
];
