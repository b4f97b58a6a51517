import { slice } from "../graph/ops/slice.ts";
import type { Value } from "../graph/value.ts";
import { headAttention, splitHeads } from "./attention.ts";
import { linear } from "./linear.ts";
import type { Sizes } from "./model.ts";
import { type Rotation, rotate } from "./rotary.ts";
import type { Scope } from "./scope.ts";
import type { AttentionSite } from "./sites/attention.ts";

export interface RotaryAttention {
  readonly sizes: Sizes;
  /** whether the projections of queries, keys and values, and that of the output, have biases */
  readonly bias: boolean;
  readonly outputBias: boolean;
  /** whether queries, keys and values are one linear layer, in this order */
  readonly fused: boolean;
  /** the norm of each head of queries and keys (Dehghani et al. 2023, arXiv:2302.05442, section 2); none where left out */
  readonly headNorm?: ((scope: Scope, x: Value) => Value) | undefined;
  readonly scale?: number | undefined;
  readonly softcap?: number | undefined;
}

/** What an attention layer reads of a batch. */
export interface Reading extends Pick<AttentionSite, "bias" | "seenInFront"> {
  readonly rotation: Rotation;
}

/** Attention of turned queries to turned keys; groups of heads may share keys and values. -> [batch, tokens, hidden] */
export function rotaryAttention(scope: Scope, layer: RotaryAttention, x: Value, read: Reading): Value {
  const { hidden, heads, keyValueHeads, headSize } = layer.sizes;
  const { query, key, value } = projections(scope, layer, x);
  const normed = (name: string, split: Value) => layer.headNorm?.(scope.at(name), split) ?? split;
  const keyOf = (y: Value) => normed("k_norm", splitHeads(y, keyValueHeads));
  const context = headAttention(scope, {
    query: rotate(normed("q_norm", splitHeads(query, heads)), read.rotation),
    key: rotate(keyOf(key), read.rotation),
    value: splitHeads(value, keyValueHeads),
    bias: read.bias,
    seenInFront: read.seenInFront,
    scale: layer.scale,
    softcap: layer.softcap,
    hidden,
    keysAndValues(vectors) {
      const others = projections(scope, layer, vectors);
      return { key: keyOf(others.key), value: splitHeads(others.value, keyValueHeads) };
    },
  });
  return linear(scope.at("o_proj"), context, heads * headSize, hidden, { bias: layer.outputBias });
}

function projections(scope: Scope, { sizes, bias, fused }: RotaryAttention, x: Value) {
  const { hidden, heads, keyValueHeads, headSize } = sizes;
  const [queries, keys] = [heads * headSize, keyValueHeads * headSize];
  const project = (name: string, size: number) => linear(scope.at(name), x, hidden, size, { bias });
  if (!fused)
    return { query: project("q_proj", queries), key: project("k_proj", keys), value: project("v_proj", keys) };
  const whole = project("qkv_proj", queries + 2 * keys);
  return {
    query: slice(whole, 2, 0, queries),
    key: slice(whole, 2, queries, queries + keys),
    value: slice(whole, 2, queries + keys, queries + 2 * keys),
  };
}
