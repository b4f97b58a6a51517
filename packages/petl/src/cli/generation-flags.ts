import { z } from "zod";
import { count, type FlagValues, number, texts } from "./flags.ts";

const optional = (schema: z.ZodNumber, placeholder: string, help: string) =>
  number(schema.optional(), placeholder, help);

/** The flags that say how a text goes on. */
export const generationFlags = {
  maxTokens: count("new tokens at most (128)"),
  temperature: optional(
    z.number().nonnegative(),
    "X",
    "draw tokens; below 1 likely ones become likelier (0: take the likeliest)",
  ),
  topK: count("draw among the K likeliest tokens"),
  topP: optional(
    z.number().positive().max(1),
    "P",
    "draw among the likeliest tokens that have this probability together",
  ),
  repetitionPenalty: optional(
    z.number().positive(),
    "X",
    "above 1: tokens that are there already become less likely (1)",
  ),
  noRepeatNgramSize: count("no run of so many tokens comes twice"),
  repetitionIgnoresPrompt: {
    schema: z.boolean().optional(),
    placeholder: undefined,
    help: "what the prompt holds may come again: both of these look at new tokens alone",
  },
  beams: count("follow so many texts at once, in search of the likeliest one (1)"),
  lengthPenalty: optional(
    z.number(),
    "X",
    "texts of beams are compared by log-probability / tokens^X: above 0 longer ones gain (1)",
  ),
  earlyStopping: {
    schema: z.preprocess(
      (value) => (value === "true" || value === "false" ? value === "true" : value),
      z.union([z.boolean(), z.literal("never")], { error: "is none of true, false, never" }).optional(),
    ),
    placeholder: "WHEN",
    help: "end a search with as many ended texts as beams (true), when none running is worth more (false), or when none can become so (never) (false)",
  },
  seed: number(z.int().nonnegative().optional(), "N", "seed of what is drawn (0)"),
  eosToken: texts("TOKEN", "a token that ends the generation, beside the model's own; several may be given"),
  stop: texts("TEXT", "a text, special tokens too, that ends the generation; several may be given"),
};

/** The settings that were given; what is left out has its default. */
export function givenSettings(flags: FlagValues<typeof generationFlags>): object {
  const given = Object.entries(flags).filter(([name, value]) => name in generationFlags && value !== undefined);
  return Object.fromEntries(given.filter(([, value]) => !Array.isArray(value) || value.length > 0));
}
