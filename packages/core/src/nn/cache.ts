import { concat } from "../graph/ops/concat.ts";
import { input, type Value } from "../graph/value.ts";
import { batchDim } from "../tensor/shape.ts";
import type { Sizes } from "./model.ts";
import type { AttentionSite } from "./sites/attention.ts";

/** How many tokens were computed before. */
export const pastDim = "past";

/** Keys and values of every attention layer, by the names that Hugging Face's ONNX exports give them. */
type KeysAndValues = Readonly<Record<string, Value>>;

/** Keys and values of the tokens in front of a batch's, so that they are computed once. */
export interface KeyValueCache {
  /** the graph's inputs, [batch, heads, past, head size] each */
  readonly past: KeysAndValues;
  /** what attention reads, the batch's own tokens behind them, [batch, heads, past + tokens, head size]; layer by layer */
  readonly present: Record<string, Value>;
}

/** The names of a layer's keys and values, as inputs and as outputs. */
export const cacheNames = (layer: number) => ({
  past: [`past_key_values.${layer}.key`, `past_key_values.${layer}.value`],
  present: [`present.${layer}.key`, `present.${layer}.value`],
});

/** The cache as a graph's inputs; its outputs come with the attention layers. */
export function keyValueCache({ layers, keyValueHeads, headSize }: Sizes): KeyValueCache {
  const shape = [batchDim, keyValueHeads, pastDim, headSize];
  const names = Array.from({ length: layers }, (_, layer) => cacheNames(layer).past).flat();
  return { past: Object.fromEntries(names.map((name) => [name, input(name, "float32", shape)])), present: {} };
}

/** An attention layer's keys and values behind the ones of earlier tokens. */
export function behindPast({ past, present }: KeyValueCache, site: AttentionSite): AttentionSite {
  const names = cacheNames(site.layer);
  const [key = site.key, value = site.value] = [site.key, site.value].map((own, i) => {
    const earlier = past[names.past[i] ?? ""];
    return earlier ? concat([earlier, own], 2) : own;
  });
  for (const [i, whole] of [key, value].entries()) present[names.present[i] ?? ""] = whole;
  return { ...site, key, value };
}
