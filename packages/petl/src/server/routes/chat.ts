import { randomBytes } from "node:crypto";
import { z } from "zod";
import { jsonBody, parsedAs } from "../body.ts";
import { HttpError } from "../http-error.ts";
import { bankNameOf } from "../models.ts";
import type { Route } from "../route.ts";
import { type AnswerShape, answerGeneration, generationFields } from "./generation.ts";

/** Texts in parts are put together; pictures and sounds are none that a language model reads. */
const content = z
  .union([z.string(), z.array(z.strictObject({ type: z.literal("text"), text: z.string() })), z.null()])
  .transform((parts) => (Array.isArray(parts) ? parts.map(({ text }) => text).join("") : (parts ?? "")));

const request = z.strictObject({
  ...generationFields,
  messages: z.array(z.looseObject({ role: z.string().min(1), content })).min(1),
  max_completion_tokens: z.int().positive().nullish(),
  logprobs: z.literal(false).nullish(),
  top_logprobs: z.null().optional(),
  response_format: z.strictObject({ type: z.literal("text") }).nullish(),
  tools: z.array(z.never()).max(0, "are not served here").nullish(),
  tool_choice: z.enum(["none", "auto"]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
});

/** New tokens at most where nothing is said. */
const usualTokens = 1024;

/** A conversation whose next turn is the assistant's. */
export const chatCompletions: Route = {
  verb: "POST",
  path: "/v1/chat/completions",
  access: "tenant",
  body: "json",
  async answer(call) {
    const given = parsedAs(request, jsonBody(call.body));
    const { models, bank } = call.service;
    bankNameOf(models, given.model, call.tenant);
    if (!bank.base.tokenizer?.chatTemplate)
      throw new HttpError(400, `${models.base} has no chat template, which messages need; use /v1/completions`, {
        param: "messages",
        code: "no_chat_template",
      });
    const most = given.max_completion_tokens ?? usualTokens;
    return answerGeneration(call, given, [{ messages: given.messages }], most, chatShape());
  },
};

function chatShape(): AnswerShape {
  return {
    id: `chatcmpl-${randomBytes(12).toString("hex")}`,
    objects: ["chat.completion", "chat.completion.chunk"],
    choice: (index, text, finish) => ({
      index,
      message: { role: "assistant", content: text, refusal: null },
      logprobs: null,
      finish_reason: finish,
    }),
    opening: (index) => [{ index, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }],
    piece: (index, text, finish) => ({
      index,
      delta: text === "" ? {} : { content: text },
      logprobs: null,
      finish_reason: finish,
    }),
  };
}
