import { type EncodedExample, type EncodeOptions, encodeExamplesInSteps } from "../data/rows/encode.ts";
import type { ExampleSet } from "../data/rows/examples.ts";
import { type FedRows, type FeedOptions, feedSteps, someOf } from "../data/rows/fed-rows.ts";
import { labelMap } from "../data/rows/labels.ts";
import { isLarge, type LaterRows, laterRows } from "../data/rows/later-rows.ts";
import type { TargetRule } from "../data/rows/target.ts";
import { atOnce, type Steps } from "../data/tables/in-steps.ts";
import { firstProblems } from "../data/tables/table.ts";
import type { Tokenizer } from "../data/tokenizer/tokenizer.ts";
import { InputError, refuse } from "../errors.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { longestRow, trainedRow } from "../peft/longest-row.ts";
import { promptLength } from "../peft/prompted.ts";
import type { Purpose } from "./purpose.ts";

/** What labels mean to a model's head. */
export const targetRuleOf = ({ task, labels }: Purpose): TargetRule => objectiveOf(task).targets(labelMap(labels));

/** How long rows may be: texts are cut after `maxLength` tokens, rows of tokens that are longer than `longest` refused. */
export type RowLimits = Required<Pick<EncodeOptions, "maxLength">> & { readonly longest: number };

/**
 * The limits that are asked for; else texts are as long as the model was pre-trained on and the tokenizer says, and rows of
 * tokens as long as the model has positions.
 * @throws InputError where the model has fewer positions
 */
export function rowLimits(
  adapted: AdaptedModel,
  tokenizer: Tokenizer | undefined,
  asked: number | undefined,
): RowLimits {
  const longest = longestRow(adapted);
  if (asked !== undefined && asked > longest)
    throw new InputError(`a maximum length of ${asked} is more than the ${longest} tokens that the model takes`);
  if (asked !== undefined) return { maxLength: asked, longest: asked };
  return { maxLength: Math.min(trainedRow(adapted), tokenizer?.modelMaxLength ?? longest), longest };
}

/**
 * The rows of a data set as the model reads them. Rows that are tokenised already need no tokenizer.
 * @throws InputError naming the line: text for a base without a tokenizer, ids that the model does not know, long rows
 */
export const encodeRows = (
  set: ExampleSet,
  adapted: AdaptedModel,
  rule: TargetRule | undefined,
  how: Omit<EncodeOptions, "vocabularySize" | "prompted">,
): readonly EncodedExample[] => atOnce(encodeRowsInSteps(set, adapted, rule, how));

/** The same in steps, for a set that may be large. */
export function* encodeRowsInSteps(
  set: ExampleSet,
  adapted: AdaptedModel,
  rule: TargetRule | undefined,
  how: Omit<EncodeOptions, "vocabularySize" | "prompted">,
): Steps<readonly EncodedExample[]> {
  const rows = yield* encodeExamplesInSteps(set, rule, { ...how, ...shapeOf(adapted) });
  refuseTypes(set, rows, adapted);
  return rows;
}

/**
 * The rows that a model learns from or is measured by: see `feedRows`.
 * @throws InputError as `encodeRows`; no row that teaches anything; answers in a column that nobody reads
 */
export const fedRows = (
  set: ExampleSet,
  adapted: AdaptedModel,
  rule: TargetRule | undefined,
  how: Omit<FeedOptions, "vocabularySize" | "prompted">,
): FedRows => atOnce(fedSteps(set, adapted, rule, how));

/** The same in steps, for a set that may be large. */
export function* fedSteps(
  set: ExampleSet,
  adapted: AdaptedModel,
  rule: TargetRule | undefined,
  how: Omit<FeedOptions, "vocabularySize" | "prompted">,
): Steps<FedRows> {
  const fed = yield* feedSteps(set, rule, { ...how, ...shapeOf(adapted) });
  refuseTypes(fed.set, fed.rows, adapted);
  return fed;
}

/** What the model reads. */
const shapeOf = ({ base, methods }: AdaptedModel) => ({
  vocabularySize: base.model.sizes.vocabulary,
  prompted: promptLength(methods) > 0,
});

/**
 * The rows that a classifier or a regression learns from or is measured by, where they are so many that they become tokens
 * as they are read; undefined for others, see `fedRows`.
 */
export function manyRows(
  set: ExampleSet,
  adapted: AdaptedModel,
  rule: TargetRule,
  { areMany = isLarge(set), ...how }: Omit<FeedOptions, "vocabularySize"> & { readonly areMany?: boolean | undefined },
): LaterRows | undefined {
  if (!areMany || rule.ofOwnTokens || !set.examples.every(({ kind }) => kind === "text")) return undefined;
  const later = laterRows(set, rule, { ...how, ...shapeOf(adapted) });
  refuseTypes(someOf(set, later.sample.places), later.sample.rows, adapted);
  return later;
}

/** The kinds of text that a model tells apart are few, and ids beyond them are nothing that it can look up. */
function refuseTypes(set: ExampleSet, rows: readonly EncodedExample[], { base, modelTensors }: AdaptedModel): void {
  const table = modelTensors.find(({ name }) => name.endsWith(".token_type_embeddings.weight"));
  const kinds = table?.shape[0];
  if (kinds === undefined) return;
  const problems = rows.flatMap(({ tokenTypeIds }, row) => {
    const strange = tokenTypeIds?.find((id) => id >= kinds);
    if (strange === undefined) return [];
    return [`${set.placeOf(row)}: token type ${strange}; ${base.name} knows 0 to ${kinds - 1}`];
  });
  refuse(firstProblems(problems));
}
