import type { ChatMessage, ChatTemplate, TextPart } from "./chat-template.ts";

/**
 * The same template, which gets contents in the form that it reads: lists of text parts put together where it reads texts
 * alone, texts as lists of one part where it reads lists alone.
 */
export function readingContents(template: ChatTemplate): ChatTemplate {
  let reads: Reads | undefined;
  return (messages, options) => {
    reads ??= contentsRead(template);
    const form = reads;
    return template(
      messages.map((message) => asRead(message, form)),
      options,
    );
  };
}

/** Which contents of messages a template writes as what they say: texts, lists of parts, or both. */
type Reads = "texts" | "parts" | "both";

const probe = "a text of petl's";

/** Tries a template with both; a list that is written as Python or JSON writes lists was not read. */
function contentsRead(write: ChatTemplate): Reads {
  const saysIt = (content: string | readonly TextPart[]) => {
    try {
      const text = write([{ role: "user", content }]);
      return text.includes(probe) && !/['"]type['"]/.test(text);
    } catch {
      return false;
    }
  };
  if (!saysIt([{ type: "text", text: probe }])) return "texts";
  return saysIt(probe) ? "both" : "parts";
}

/** A message with its content in a form that the template reads: parts are put together, or a text is made one. */
function asRead(message: ChatMessage, reads: Reads): ChatMessage {
  const { content } = message;
  if (reads === "parts" && typeof content === "string")
    return { ...message, content: [{ type: "text", text: content }] };
  if (reads !== "texts" || !isParts(content)) return message;
  return { ...message, content: content.map(({ text }) => text).join("") };
}

const isParts = (content: unknown): content is readonly TextPart[] =>
  Array.isArray(content) && content.every((part) => part?.type === "text" && typeof part.text === "string");
