import type { EncodedExample, ExampleSet, TargetRule, Tokenizer } from "@petl/core";
import { encodeRows as encode, rowLimits } from "../library/encode-rows.ts";
import type { OpenModel } from "../library/model.ts";

export interface EncodedRows {
  readonly rows: readonly EncodedExample[];
  /** undefined where the rows came as tokens */
  readonly tokenizer: Tokenizer | undefined;
  /** tokens after which texts were cut */
  readonly maxLength: number;
}

/**
 * The rows of a data set as the model reads them. Rows that are tokenised already need no tokenizer.
 * @throws InputError naming the line: text for a base without a tokenizer, ids that the model does not know, long rows
 */
export async function encodeRows(
  set: ExampleSet,
  { adapted, base }: OpenModel,
  rule: TargetRule | undefined,
  asked: { readonly maxLength: number | undefined },
): Promise<EncodedRows> {
  const tokenizer = set.examples[0]?.kind === "tokens" ? undefined : base.tokenizer;
  const limits = rowLimits(adapted, tokenizer, asked.maxLength);
  return { rows: encode(set, adapted, rule, { tokenizer, ...limits }), tokenizer, maxLength: limits.maxLength };
}
