import { type EncodedExample, type ExampleSet, encodeExamples, InputError, type Tokenizer } from "@petl/core";
import { type OpenModel, openTokenizer } from "./open.ts";

type TargetKind = Parameters<typeof encodeExamples>[1];

export interface EncodedRows {
  readonly rows: readonly EncodedExample[];
  /** undefined where the rows came as tokens */
  readonly tokenizer: Tokenizer | undefined;
  /** tokens after which texts were cut */
  readonly maxLength: number;
}

/** The longest row that a model takes: learned tokens in front of the text take up positions too. */
export function longestRow({ adapted: { base, methods } }: Pick<OpenModel, "adapted">): number {
  return methods.reduce((rest, use) => rest - (use.virtualTokens?.() ?? 0), base.model.sizes.maxTokens);
}

/**
 * The rows of a data set as the model reads them. Rows that are tokenised already need no tokenizer.
 * @throws InputError naming the line: text for a base without a tokenizer, ids that the model does not know, long rows
 */
export async function encodeRows(
  set: ExampleSet,
  model: OpenModel,
  kind: TargetKind,
  { maxLength }: { readonly maxLength: number | undefined },
): Promise<EncodedRows> {
  const tokenised = set.examples[0]?.kind === "tokens";
  const tokenizer = tokenised ? undefined : await openTokenizer(model.path);
  const longest = longestRow(model);
  if (maxLength !== undefined && maxLength > longest) {
    throw new InputError(`--max-length ${maxLength} is more than the ${longest} tokens that the model takes`);
  }
  const most = Math.min(longest, maxLength ?? longest, tokenizer?.modelMaxLength ?? longest);
  const { vocabulary } = model.base.model.sizes;
  const rows = encodeExamples(set, kind, { tokenizer, maxLength: most, vocabularySize: vocabulary });
  refuseTypes(set, rows, model);
  return { rows, tokenizer, maxLength: most };
}

/** The kinds of text that a model tells apart are few, and ids beyond them are nothing that it can look up. */
function refuseTypes(set: ExampleSet, rows: readonly EncodedExample[], { base, adapted }: OpenModel): void {
  const table = adapted.modelTensors.find(({ name }) => name.endsWith(".token_type_embeddings.weight"));
  const kinds = table?.shape[0];
  if (kinds === undefined) return;
  const problems = rows.flatMap(({ tokenTypeIds }, row) => {
    const strange = tokenTypeIds?.find((id) => id >= kinds);
    if (strange === undefined) return [];
    return [`${set.placeOf(row)}: token type ${strange}; ${base.name} knows 0 to ${kinds - 1}`];
  });
  const more = problems.length - 10;
  if (problems.length > 0)
    throw new InputError([...problems.slice(0, 10), ...(more > 0 ? [`and ${more} more like these`] : [])]);
}
