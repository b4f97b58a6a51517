import type { Value } from "../../graph/value.ts";
import type { Scope } from "../scope.ts";
import type { SiteKind } from "./site-kind.ts";

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

export const attentionSites: SiteKind<AttentionSite, AttentionRead> = {
  noun: "attention layer",
  gives: ({ key, value, bias, added }) => ({ key, value, bias, added }),
  behind: (site, read) => ({ ...site, ...read }),
};
