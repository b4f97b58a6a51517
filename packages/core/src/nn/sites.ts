import type { Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/** The module that a site is, and its layer in the stack. */
type Where = Pick<Scope, "path" | "layer">;

/** A linear layer: y = W x + b. */
export interface LinearSite extends Where {
  /** [batch, tokens, in] (or [batch, 1, in] in a head) */
  readonly x: Value;
  /** W x + b: [..., out] */
  readonly y: Value;
  /** the same layer on another input */
  readonly apply: (x: Value) => Value;
  /** [out, in] */
  readonly weight: Value;
  /** [out] */
  readonly bias: Value | undefined;
  readonly inSize: number;
  readonly outSize: number;
  /** whether the checkpoint keeps the weight as [in, out] */
  readonly transposed: boolean;
  /** whether it gives the words of the vocabulary, so that "all linear layers" does not mean it */
  readonly output: boolean;
}

/** A table of vectors, looked up by id. */
export interface EmbeddingSite extends Where {
  /** [batch, tokens] */
  readonly ids: Value;
  /** factor · E[id]: [batch, tokens, hidden] */
  readonly y: Value;
  /** [rows, size] */
  readonly weight: Value;
  readonly rows: number;
  readonly size: number;
  /** what the model multiplies the table's vectors by */
  readonly factor: number;
}

/** A block's sublayer, attention or feed-forward, whose output is added to the residual stream. */
export interface SublayerSite extends Pick<Scope, "layer"> {
  /** the path of the module whose output enters the residual sum */
  readonly path: string;
  readonly place: "attention" | "feed-forward";
  /** the residual input: [batch, tokens, hidden] */
  readonly x: Value;
  /** the sublayer's output, before the residual sum: [batch, tokens, hidden] */
  readonly y: Value;
  /** the layer norm behind the residual sum; undefined in architectures that normalise in front */
  readonly normalize: ((sum: Value) => Value) | undefined;
  readonly hidden: number;
}

/** What an attention layer reads: keys and values [batch, heads, keys, head size], and the mask's bias on its scores. */
export interface AttentionSite extends Pick<Scope, "path"> {
  readonly layer: number;
  /** heads of keys and values; groups of heads of queries may share them */
  readonly heads: number;
  readonly headSize: number;
  readonly key: Value;
  readonly value: Value;
  /** added to the scores: [batch, 1, queries or 1, keys] */
  readonly bias: Value;
  /** how many positions in front of the text each token sees: int32 [batch, tokens]; all where there is no window */
  readonly seenInFront: Value | undefined;
  readonly queryHeads: number;
  /** the length of the vectors that the layer projects */
  readonly hidden: number;
  /**
   * What the layer's queries read of keys and values, whose batch may be 1: softmax(scale Q Kᵀ + bias) V.
   * -> [batch, heads of queries, tokens, head size]
   */
  readonly attend: (key: Value, value: Value, bias?: Value) => Value;
  /**
   * The layer's own keys and values of other vectors, without positions; undefined in architectures that do not offer them.
   * [batch, tokens, hidden] -> [batch, heads, tokens, head size] each
   */
  readonly keysAndValues: ((x: Value) => Pick<AttentionSite, "key" | "value">) | undefined;
  /** what is added to what the queries have read: [batch, heads of queries, tokens, head size] */
  readonly added: Value | undefined;
}

/** What a layer reads when methods have acted, and what is added to what its queries have read. */
type AttentionRead = Pick<AttentionSite, "key" | "value" | "bias" | "added">;

/** What architectures announce: a site of each kind, and what comes back. */
export interface SiteKinds {
  readonly linear: { readonly site: LinearSite; readonly result: Value };
  readonly embedding: { readonly site: EmbeddingSite; readonly result: Value };
  readonly sublayer: { readonly site: SublayerSite; readonly result: Value };
  readonly attention: { readonly site: AttentionSite; readonly result: AttentionRead };
}

/** What is done with a site of each kind. */
export type SiteHooks = { readonly [K in keyof SiteKinds]: (site: SiteKinds[K]["site"]) => SiteKinds[K]["result"] };

/** What a site of each kind gives where nothing acts. */
export const unchanged: SiteHooks = {
  linear: ({ y }) => y,
  embedding: ({ y }) => y,
  sublayer: ({ y }) => y,
  attention: ({ key, value, bias, added }) => ({ key, value, bias, added }),
};

/** What acts at the sites that an architecture announces. */
export type Hooks = SiteHooks & {
  /** vectors that take part in attention without being text; the text's positions are counted behind them */
  readonly virtualTokens: number;
};

/** Nothing acts: the base model itself. */
export const noHooks: Hooks = { ...unchanged, virtualTokens: 0 };
