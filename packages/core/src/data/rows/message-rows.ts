import { InputError } from "../../errors.ts";
import { isObject, isRecord, parsedJson } from "../../values.ts";
import type { ChatMessage, ChatTemplate, TextPart } from "../tokenizer/chat-template.ts";
import type { Encoding, Tokenizer } from "../tokenizer/tokenizer.ts";
import { kindOf, type RowResult } from "./cells.ts";
import { learntSpans } from "./chat-turns.ts";
import type { LossOn } from "./encode.ts";
import { type Example, ignoredLabel } from "./examples.ts";

type ConversationExample = Extract<Example, { kind: "messages" }>;
type Row = Readonly<Record<string, unknown>>;

/** The columns of rows of conversations. */
interface MessageColumns {
  readonly messages: string;
  readonly system?: string;
  readonly tools?: string;
}

/** The columns of conversations where a file has them: `messages`, or ShareGPT's `conversations`, with `system` and `tools`. */
export function messageColumns(columns: readonly string[]): MessageColumns | undefined {
  const find = (name: string) => columns.find((column) => column.toLowerCase() === name);
  const messages = find("messages") ?? find("conversations") ?? find("conversation");
  const [system, tools] = [find("system"), find("tools")];
  if (messages === undefined) return undefined;
  return { messages, ...(system !== undefined && { system }), ...(tools !== undefined && { tools }) };
}

/** A row of a conversation: messages, each with a `role` and what the tokenizer's template reads of it. */
export function readMessageRow(row: Row, { messages, system, tools }: MessageColumns): RowResult<ConversationExample> {
  const turns = messagesOf(row[messages], messages);
  const functions = tools === undefined ? [] : toolsOf(row[tools]);
  const said = system === undefined ? undefined : row[system];
  const problems: string[] = [];
  if (typeof turns === "string") problems.push(turns);
  if (!functions) problems.push(`"${tools}" is no list of tools`);
  if (said !== undefined && said !== null && typeof said !== "string")
    problems.push(`"${system}" is ${kindOf(said)} instead of text`);
  if (typeof turns === "string" || problems.length > 0) return { problems };
  const first = typeof said === "string" && said !== "" ? [{ role: "system", content: said }] : [];
  const known = functions && functions.length > 0 ? { tools: functions } : {};
  return { example: { kind: "messages", messages: [...first, ...turns], ...known } };
}

/** A list of functions, or its JSON text, as Parquet files have it. */
function toolsOf(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || value === null || value === "") return [];
  if (Array.isArray(value)) return value;
  if (typeof value !== "string") return undefined;
  const parsed = parsedJson(value);
  return Array.isArray(parsed) ? parsed : undefined;
}

/** What ShareGPT calls who speaks. */
const speakers: Readonly<Record<string, string>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  chatgpt: "assistant",
  bing: "assistant",
  bard: "assistant",
  assistant: "assistant",
  model: "assistant",
  system: "system",
  function_call: "assistant",
  observation: "tool",
  tool: "tool",
  function_response: "tool",
};

/** A list of messages, or, as a text, what is wrong with it. */
export function messagesOf(value: unknown, column: string): readonly ChatMessage[] | string {
  if (!Array.isArray(value) || value.length === 0) return `"${column}" is no list of messages, each with a "role"`;
  const messages: ChatMessage[] = [];
  for (const [turn, item] of value.entries()) {
    const message = messageOf(item);
    if (typeof message === "string") return `"${column}" ${turn + 1}: ${message}`;
    messages.push(message);
  }
  return messages;
}

function messageOf(item: unknown): ChatMessage | string {
  if (!isRecord(item)) return `${kindOf(item)} instead of a message`;
  const { from, value, ...rest }: Row = item;
  const isShareGpt = typeof from === "string" && rest.role === undefined;
  if (isShareGpt && !Object.hasOwn(speakers, from))
    return `nobody knows who "${from}" is; allowed: ${Object.keys(speakers).join(", ")}`;
  const given: Row = isShareGpt ? { role: speakers[from], content: value, ...rest } : rest;
  const { role, content, weight } = given;
  if (typeof role !== "string") return `no message, which has a "role"`;
  if (weight !== undefined && weight !== null && weight !== 0 && weight !== 1)
    return `its weight is ${JSON.stringify(weight)}; allowed are 0 (not learnt) and 1`;
  const text = contentOf(content);
  if (isObject(text) && "problem" in text) return text.problem;
  const fields = Object.entries(given).filter(([name, field]) => name !== "content" && field !== null);
  return { ...Object.fromEntries(fields), role, ...(content !== undefined && { content: text }) };
}

/** A message's text, or its parts, of which those that are no text are nothing that a text model reads. */
function contentOf(content: unknown): string | null | undefined | readonly TextPart[] | { readonly problem: string } {
  if (content === null || content === undefined || typeof content === "string") return content;
  if (!Array.isArray(content)) return { problem: `its content is ${kindOf(content)} instead of text` };
  const parts: TextPart[] = [];
  for (const part of content) {
    const text: unknown = typeof part === "string" ? part : part?.text;
    const type: unknown = typeof part === "string" ? "text" : part?.type;
    if (type !== "text" || typeof text !== "string")
      return { problem: `a part of its content is of the type ${JSON.stringify(type)}; only text is read` };
    parts.push({ type, text });
  }
  return parts;
}

/** A conversation as its template writes it, in tokens; the labels are those of the assistant's turns, or of all. */
export function encodeMessages(
  example: ConversationExample,
  tokenizer: Tokenizer,
  { maxLength, lossOn = "completions" }: { readonly maxLength: number; readonly lossOn?: LossOn | undefined },
): Encoding & { readonly labels: Int32Array } {
  const template = chatTemplateOf(tokenizer);
  const { text, spans } = learntSpans(example, template);
  const ids = tokenizer.idsOf(text);
  const tokensBefore = (end: number) =>
    end === text.length ? ids.length : shared(ids, tokenizer.idsOf(text.slice(0, end)));
  const turns =
    lossOn === "all"
      ? [[0, ids.length] as const]
      : spans.map(([from, to]) => [tokensBefore(from), tokensBefore(to)] as const);
  const inputIds = Int32Array.from(ids.slice(0, maxLength));
  return {
    inputIds,
    attentionMask: new Int32Array(inputIds.length).fill(1),
    labels: inputIds.map((id, token) =>
      turns.some(([start, end]) => start <= token && token < end) ? id : ignoredLabel,
    ),
  };
}

/** @throws InputError for a tokenizer without a template */
export function chatTemplateOf({ chatTemplate }: Pick<Tokenizer, "chatTemplate">): ChatTemplate {
  if (chatTemplate) return chatTemplate;
  throw new InputError(
    "the base's tokenizer has no chat template, which messages need; give rows of prompt and completion",
  );
}

/** How many ids two lists begin with in common. */
function shared(a: readonly number[], b: readonly number[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count++;
  return count;
}
