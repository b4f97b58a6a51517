import type { Sizes } from "../nn/model.ts";

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
