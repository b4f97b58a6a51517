import { kindOf, type RowResult } from "./cells.ts";
import { type Example, ignoredLabel } from "./examples.ts";
import type { Encoding, Tokenizer } from "./tokenizer.ts";

type CompletionExample = Extract<Example, { kind: "completion" }>;

/** The columns of rows with a text and how it should go on. */
export interface CompletionColumns {
  readonly prompt: string;
  /** a second part of the prompt, which may be empty */
  readonly context?: string;
  readonly completion: string;
}

/** The columns of completions where a file has them: `prompt` and `completion`, or Alpaca's `instruction`, `input`, `output`. */
export function completionColumns(columns: readonly string[]): CompletionColumns | undefined {
  if (columns.includes("prompt") && columns.includes("completion"))
    return { prompt: "prompt", completion: "completion" };
  if (!columns.includes("instruction") || !columns.includes("output")) return undefined;
  const context = columns.includes("input") ? { context: "input" } : {};
  return { prompt: "instruction", ...context, completion: "output" };
}

/** A row of a prompt and its completion; of an instruction the prompt ends with an empty line. */
export function readCompletionRow(
  row: Readonly<Record<string, unknown>>,
  { prompt, context, completion }: CompletionColumns,
): RowResult<CompletionExample> {
  const problems = [prompt, completion, ...(context && row[context] != null ? [context] : [])]
    .filter((column) => typeof row[column] !== "string")
    .map((column) => `"${column}" is ${kindOf(row[column])} instead of text`);
  if (problems.length > 0) return { problems };
  const text = (column: string) => String(row[column]);
  if (prompt === "prompt")
    return { example: { kind: "completion", prompt: text(prompt), completion: text(completion) } };
  const parts = [text(prompt), ...(context && row[context] ? [text(context)] : [])];
  return { example: { kind: "completion", prompt: `${parts.join("\n\n")}\n\n`, completion: text(completion) } };
}

/**
 * A prompt with its completion and the tokenizer's end-of-text token, encoded together; the labels are those of the
 * tokens that the prompt alone doesn't begin with. What is longer than `maxLength` is cut at its end.
 */
export function encodeCompletion(
  { prompt, completion }: CompletionExample,
  tokenizer: Tokenizer,
  maxLength: number,
): Encoding & { readonly labels: Int32Array } {
  const eos = tokenizer.specialIds.eos_token;
  const whole = Array.from(tokenizer.encode(prompt + completion).inputIds);
  const closed = eos === undefined || whole.at(-1) === eos ? whole : [...whole, eos];
  const alone = tokenizer.encode(prompt).inputIds;
  const parting = alone.findIndex((id, token) => id !== whole[token]);
  const asked = parting < 0 ? alone.length : parting;
  const inputIds = Int32Array.from(closed.slice(0, maxLength));
  return {
    inputIds,
    attentionMask: new Int32Array(inputIds.length).fill(1),
    labels: inputIds.map((id, token) => (token < asked ? ignoredLabel : id)),
  };
}
