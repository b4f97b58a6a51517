import { kindOf, labelOf, type RowResult, withLabel } from "./cells.ts";
import { type Example, ignoredLabel } from "./examples.ts";

type TokenExample = Extract<Example, { kind: "tokens" }>;

/** The columns of rows that are tokenised already. */
export const tokenColumns = ["input_ids", "attention_mask", "token_type_ids", "label", "labels"] as const;

const largest = 2 ** 31 - 1;
const isId = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= largest;
const isBit = (value: unknown) => value === 0 || value === 1;
const isTokenLabel = (value: unknown) => isId(value) || value === ignoredLabel;

/**
 * A row that is tokenised already: `{"input_ids": [...], "attention_mask"?, "token_type_ids"?, "label" | "labels"}`.
 * A list of labels is of the tokens or of the row, as the task has it; a single value under either name is the row's label.
 */
export function readTokenRow(row: Readonly<Record<string, unknown>>): RowResult<TokenExample> {
  const problems: string[] = [];
  const list = (field: string, allowed: (value: unknown) => boolean, expected: string): Int32Array | undefined => {
    const value = row[field];
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) problems.push(`"${field}" is ${kindOf(value)} instead of a list of ${expected}`);
    else if (!value.every(allowed)) {
      const strange = value.find((item) => !allowed(item));
      problems.push(`"${field}" holds ${JSON.stringify(strange)}; expected ${expected}`);
    } else return Int32Array.from(value);
    return undefined;
  };
  const inputIds = list("input_ids", isId, "integers from 0");
  const attentionMask = list("attention_mask", isBit, "0 or 1");
  const tokenTypeIds = list("token_type_ids", isId, "integers from 0");
  const name = row.labels === undefined || row.labels === null ? "label" : "labels";
  const perToken = Array.isArray(row[name]);
  const labels = perToken ? list(name, isTokenLabel, `integers from 0, or ${ignoredLabel}`) : undefined;
  const label = perToken ? undefined : labelOf(row[name]);
  if (label === null) problems.push(`"${name}" is ${kindOf(row[name])} instead of a label`);
  if (problems.length === 0 && !inputIds) problems.push('"input_ids" is missing');
  if (inputIds?.length === 0) problems.push('"input_ids" is empty');
  for (const [field, values] of Object.entries({
    attention_mask: attentionMask,
    token_type_ids: tokenTypeIds,
  })) {
    if (inputIds && values && values.length !== inputIds.length)
      problems.push(`${values.length} ${field} for ${inputIds.length} input_ids`);
  }
  if (!inputIds || problems.length > 0) return { problems };
  const masks = { ...(attentionMask && { attentionMask }), ...(tokenTypeIds && { tokenTypeIds }) };
  return { example: { kind: "tokens", inputIds, ...masks, ...(labels && { labels }), ...withLabel(label) } };
}
