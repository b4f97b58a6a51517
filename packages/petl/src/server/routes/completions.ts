import { randomBytes } from "node:crypto";
import { z } from "zod";
import { jsonBody, parsedAs } from "../body.ts";
import type { Route } from "../route.ts";
import { type AnswerShape, answerGeneration, generationFields } from "./generation.ts";
import { mostInputs } from "./inputs.ts";

const ids = z.array(z.int().nonnegative()).min(1);
const request = z.strictObject({
  ...generationFields,
  /** a text, texts, tokens, or lists of tokens */
  prompt: z.union([
    z.string(),
    z.array(z.string()).min(1).max(mostInputs),
    ids.max(2 ** 20),
    z.array(ids).min(1).max(mostInputs),
  ]),
  best_of: z.literal(1).nullish(),
  echo: z.literal(false).nullish(),
  logprobs: z.null().optional(),
  suffix: z.literal("").nullish(),
});

/** New tokens where nothing is said, as OpenAI's completions have it. */
const usualTokens = 16;

/** Texts that go on. */
export const completions: Route = {
  verb: "POST",
  path: "/v1/completions",
  access: "tenant",
  body: "json",
  async answer(call) {
    const given = parsedAs(request, jsonBody(call.body));
    return answerGeneration(call, given, promptsOf(given.prompt), usualTokens, completionShape());
  },
};

function promptsOf(prompt: z.infer<typeof request>["prompt"]): readonly (string | readonly number[])[] {
  if (typeof prompt === "string") return [prompt];
  const tokens = prompt.filter((each) => typeof each === "number");
  return tokens.length > 0 ? [tokens] : prompt.filter((each) => typeof each !== "number");
}

function completionShape(): AnswerShape {
  const choice = (index: number, text: string, finish: string | null) => ({
    index,
    text,
    logprobs: null,
    finish_reason: finish,
  });
  return {
    id: `cmpl-${randomBytes(12).toString("hex")}`,
    objects: ["text_completion", "text_completion"],
    choice,
    opening: () => [],
    piece: choice,
  };
}
