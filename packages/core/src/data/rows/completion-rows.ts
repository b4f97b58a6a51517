import type { Encoding, Tokenizer } from "../tokenizer/tokenizer.ts";
import { kindOf, type RowResult } from "./cells.ts";
import { type Example, ignoredLabel } from "./examples.ts";

type CompletionExample = Extract<Example, { kind: "completion" }>;

/** The columns of rows with a text and how it should go on. */
export interface CompletionColumns {
  readonly prompt: string;
  /** a second part of the prompt, which may be empty */
  readonly context?: string;
  readonly completion: string;
  /** what stands between the parts of the prompt and behind it */
  readonly between: "" | "\n" | "\n\n";
}

/**
 * The columns of completions where a file has them: `prompt` and `completion`; Alpaca's `instruction`, `input` and
 * `output`; E2E's `mr` and `ref`; GSM8K's `question` and `answer`, where there are no others.
 */
export function completionColumns(columns: readonly string[]): CompletionColumns | undefined {
  const has = (...names: readonly string[]) => names.every((name) => columns.includes(name));
  if (has("prompt", "completion")) return { prompt: "prompt", completion: "completion", between: "" };
  if (has("mr", "ref")) return { prompt: "mr", completion: "ref", between: "\n" };
  if (has("question", "answer") && columns.length === 2)
    return { prompt: "question", completion: "answer", between: "\n" };
  if (!has("instruction", "output")) return undefined;
  const context = has("input") ? { context: "input" } : {};
  return { prompt: "instruction", ...context, completion: "output", between: "\n\n" };
}

/** A row of a prompt, whose parts end with what stands between them, and its completion. */
export function readCompletionRow(
  row: Readonly<Record<string, unknown>>,
  { prompt, context, completion, between }: CompletionColumns,
): RowResult<CompletionExample> {
  const problems = [prompt, completion, ...(context && row[context] != null ? [context] : [])]
    .filter((column) => typeof row[column] !== "string")
    .map((column) => `"${column}" is ${kindOf(row[column])} instead of text`);
  if (problems.length > 0) return { problems };
  const parts = [prompt, ...(context && row[context] ? [context] : [])].map((column) => `${row[column]}${between}`);
  return { example: { kind: "completion", prompt: parts.join(""), completion: String(row[completion]) } };
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
