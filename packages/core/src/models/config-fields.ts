import { z } from "zod";
import type { Sizes } from "../nn/model.ts";

/**
 * Sizes of a configuration, from anyone: at most what no model comes near, so that nothing is allocated by a number alone.
 * How many layers there are decides how much is built before a weight is looked at; what is wider than the weights are is
 * refused by their shapes.
 */
const size = (most: number) => z.int().positive().max(most);
export const layerCount = size(1024);
export const headCount = size(2 ** 14);
/** the length of hidden states, of a head, of what is between two layers */
export const width = size(2 ** 20);
/** tokens of a vocabulary */
export const vocabularySize = size(2 ** 21);
/** rows of a table of kinds of text or of positions */
export const tableRows = size(2 ** 26);

/** What an architecture calls the sizes that depend on one another. */
export interface SizeFields {
  readonly hidden: string;
  readonly heads: string;
  readonly keyValueHeads?: string;
  readonly padId?: string;
  readonly vocabulary?: string;
}

export const usualFields: SizeFields = {
  hidden: "hidden_size",
  heads: "num_attention_heads",
  keyValueHeads: "num_key_value_heads",
};

/** What is wrong with sizes that don't go together, by field. */
export function sizeProblems(sizes: Sizes, fields: SizeFields): readonly string[] {
  const { hidden, heads, keyValueHeads, headSize, padId, vocabulary } = sizes;
  const {
    keyValueHeads: shared = fields.heads,
    padId: padding = "pad_token_id",
    vocabulary: words = "vocab_size",
  } = fields;
  return [
    ...(Number.isInteger(headSize) ? [] : [`${fields.heads}: ${heads} heads do not divide ${fields.hidden} ${hidden}`]),
    ...(heads % keyValueHeads === 0 ? [] : [`${shared}: ${keyValueHeads} do not divide ${fields.heads} ${heads}`]),
    ...(padId < vocabulary ? [] : [`${padding}: ${padId} is no token; ${words} is ${vocabulary}`]),
  ];
}
