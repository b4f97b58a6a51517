import type { OpenModel } from "@petl/core";

/** Inputs of one request at most, as many as OpenAI's embeddings take. */
export const mostInputs = 2048;

/** The tokens that a model reads of texts. */
export function countTokens(
  { base }: Pick<OpenModel, "base">,
  rows: readonly { readonly text: string; readonly textPair?: string | undefined }[],
): number {
  return rows.reduce(
    (sum, { text, textPair }) => sum + (base.tokenizer?.encode(text, textPair).inputIds.length ?? 0),
    0,
  );
}
