import { count, grouped, natural, nonnegative, positive, probability, real, setting, texts } from "@petl/core";
import { z } from "zod";
import type { FlagValues } from "../flags/flags.ts";

/** The flags that say how a text goes on. */
export const generationFlags = grouped("How texts go on", {
  maxTokens: count(undefined, "new tokens at most", { otherwise: "128" }),
  temperature: nonnegative(undefined, "draw tokens; below 1 likely ones become likelier", {
    otherwise: "0: take the likeliest",
  }),
  topK: count(undefined, "draw among the K likeliest tokens", { placeholder: "K" }),
  topP: probability(undefined, "draw among the likeliest tokens that have this probability together"),
  repetitionPenalty: positive(undefined, "above 1: tokens that are there already become less likely", {
    otherwise: "1",
  }),
  noRepeatNgramSize: count(undefined, "no run of so many tokens comes twice"),
  repetitionIgnoresPrompt: setting<boolean | undefined>(z.boolean(), {
    ...{ initial: undefined, placeholder: undefined },
    help: "what the prompt holds may come again: both of these look at new tokens alone",
  }),
  beams: count(undefined, "follow so many texts at once, in search of the likeliest one", { otherwise: "1" }),
  lengthPenalty: real(
    undefined,
    "texts of beams are compared by log-probability / tokens^X: above 0 longer ones gain",
    { otherwise: "1" },
  ),
  earlyStopping: setting<boolean | "never" | undefined>(
    z.preprocess(
      (value) => (value === "true" || value === "false" ? value === "true" : value),
      z.union([z.boolean(), z.literal("never")], { error: "is none of true, false, never" }),
    ),
    {
      ...{ initial: undefined, placeholder: "WHEN", otherwise: "false" },
      help: "end a search with as many ended texts as beams (true), when none running is worth more (false), or when none can become so (never)",
    },
  ),
  seed: natural(undefined, "seed of what is drawn", { otherwise: "0" }),
  eosToken: texts("TOKEN", "a token that ends the generation, beside the model's own; several may be given"),
  stop: texts("TEXT", "a text, special tokens too, that ends the generation; several may be given"),
});

/** The settings that were given; what is left out has its default. */
export function givenSettings(flags: FlagValues<typeof generationFlags>): object {
  const given = Object.entries(flags).filter(([name, value]) => name in generationFlags && value !== undefined);
  return Object.fromEntries(given.filter(([, value]) => !Array.isArray(value) || value.length > 0));
}
