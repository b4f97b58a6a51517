import { z } from "zod";
import { InputError } from "../../errors.ts";
import type { ChatMessage, ChatTemplate } from "../tokenizer/chat-template.ts";
import type { Encoding, Tokenizer } from "../tokenizer/tokenizer.ts";
import type { RowResult } from "./cells.ts";
import type { LossOn } from "./encode.ts";
import { type Example, ignoredLabel } from "./examples.ts";

type ConversationExample = Extract<Example, { kind: "messages" }>;

const conversation = z.array(z.looseObject({ role: z.string() })).min(1);

/** A row of a conversation: `messages`, each with a `role` and what the tokenizer's template reads of it. */
export function readMessageRow(row: Readonly<Record<string, unknown>>): RowResult<ConversationExample> {
  const { data } = conversation.safeParse(row.messages);
  return data
    ? { example: { kind: "messages", messages: data } }
    : { problems: ['"messages" is no list of messages, each with a "role"'] };
}

/** A conversation as its template writes it, in tokens; the labels are those of the assistant's turns, or of all. */
export function encodeMessages(
  { messages }: ConversationExample,
  tokenizer: Tokenizer,
  { maxLength, lossOn = "completions" }: { readonly maxLength: number; readonly lossOn?: LossOn | undefined },
): Encoding & { readonly labels: Int32Array } {
  const template = templateOf(tokenizer);
  const whole = template(messages);
  const ids = tokenizer.idsOf(whole);
  const tokensBefore = (text: string) => shared(ids, tokenizer.idsOf(text));
  const turns =
    lossOn === "all"
      ? [[0, ids.length]]
      : assistantTurns(messages, whole, template).map((turn) => turn.map(tokensBefore));
  const inputIds = Int32Array.from(ids.slice(0, maxLength));
  return {
    inputIds,
    attentionMask: new Int32Array(inputIds.length).fill(1),
    labels: inputIds.map((id, token) =>
      turns.some(([start = 0, end = 0]) => start <= token && token < end) ? id : ignoredLabel,
    ),
  };
}

/** @throws InputError for a tokenizer without a template */
export function templateOf({ chatTemplate }: Pick<Tokenizer, "chatTemplate">): ChatTemplate {
  if (chatTemplate) return chatTemplate;
  throw new InputError(
    "the base's tokenizer has no chat template, which messages need; give rows of prompt and completion",
  );
}

/** For each turn of the assistant the text in front of it and the text up to its end. */
function assistantTurns(
  messages: readonly ChatMessage[],
  whole: string,
  template: ChatTemplate,
): readonly (readonly [before: string, upTo: string])[] {
  return messages.flatMap(({ role }, i) => {
    if (role !== "assistant") return [];
    const before = template(messages.slice(0, i), { reply: true });
    const upTo = i === messages.length - 1 ? whole : template(messages.slice(0, i + 1));
    if (whole.startsWith(upTo)) return [[whole.slice(0, shared(before, whole)), upTo] as const];
    throw new InputError(
      "the chat template writes a turn in another way once more follow, so that the assistant's can't be told apart; let the loss be on all of the text",
    );
  });
}

/** How many items two lists, or two texts, begin with in common. */
function shared(a: ArrayLike<unknown>, b: ArrayLike<unknown>): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count++;
  return count;
}
