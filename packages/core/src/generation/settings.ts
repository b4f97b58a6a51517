import { z } from "zod";
import { refuse } from "../errors.ts";
import {
  count,
  natural,
  nonnegative,
  positive,
  probability,
  real,
  setting,
  texts,
  toggle,
} from "../settings/setting.ts";
import { grouped, readSettings } from "../settings/settings.ts";

/**
 * How a text goes on: the likeliest token each time, or one drawn where temperature, topK or topP are given, or by
 * several texts that are followed at once, the beams.
 */
export interface GenerationSettings {
  /** new tokens at most (128) */
  readonly maxTokens: number;
  /** the logits are divided by it before a token is drawn; 0, or left out: the likeliest token */
  readonly temperature?: number | undefined;
  /** only the K likeliest tokens are drawn (all) */
  readonly topK?: number | undefined;
  /** only the likeliest tokens that together have this probability are drawn (Holtzman et al. 2019, arXiv:1904.09751) (1) */
  readonly topP?: number | undefined;
  /** tokens that are there already become less likely above 1 (Keskar et al. 2019, arXiv:1909.05858, section 4.1) (1) */
  readonly repetitionPenalty: number;
  /** no run of this many tokens comes twice (any may) */
  readonly noRepeatNgramSize?: number | undefined;
  /** whether the prompt may be repeated, so that both of these look at new tokens alone (false) */
  readonly repetitionIgnoresPrompt: boolean;
  /** how many texts are followed at once in search of the likeliest one; 1: each token is the likeliest (1) */
  readonly beams: number;
  /** texts of different lengths are compared by log-probability / tokens^lengthPenalty (1) */
  readonly lengthPenalty?: number | undefined;
  /**
   * When a search ends: true with as many ended texts as beams, false where none of the running ones is worth more by the
   * tokens it has, "never" where none could be at any length (false)
   */
  readonly earlyStopping?: boolean | "never" | undefined;
  /** of what is drawn (0) */
  readonly seed: number;
  /** tokens that end the generation, beside those that the model's folder names (none) */
  readonly eosToken: readonly string[];
  /** texts that end the generation, special tokens too; they are not part of the text that is given (none) */
  readonly stop: readonly string[];
}

/** The settings by name: from them follow flags, help, checks and defaults. */
export const generationSettings = grouped("How texts go on", {
  maxTokens: count(128, "new tokens at most"),
  temperature: nonnegative(undefined, "draw tokens; below 1 likely ones become likelier", {
    otherwise: "0: take the likeliest",
  }),
  topK: count(undefined, "draw among the K likeliest tokens", { placeholder: "K" }),
  topP: probability(undefined, "draw among the likeliest tokens that have this probability together"),
  repetitionPenalty: positive(1, "above 1: tokens that are there already become less likely"),
  noRepeatNgramSize: count(undefined, "no run of so many tokens comes twice"),
  repetitionIgnoresPrompt: toggle(
    false,
    "what the prompt holds may come again: both of these look at new tokens alone",
  ),
  beams: count(1, "follow so many texts at once, in search of the likeliest one"),
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
      initial: undefined,
      placeholder: "WHEN",
      otherwise: "false",
      help: "end a search with as many ended texts as beams (true), when none running is worth more (false), or when none can become so (never)",
    },
  ),
  seed: natural(0, "seed of what is drawn"),
  eosToken: texts("TOKEN", "a token that ends the generation, beside the model's own; several may be given"),
  stop: texts("TEXT", "a text, special tokens too, that ends the generation; several may be given"),
});

/** Checked settings with their defaults. @throws InputError with every problem */
export function parseGenerationSettings(given: unknown): GenerationSettings {
  const settings = readSettings(generationSettings, given);
  refuse([...besideBeams(settings), ...withoutSense(settings)]);
  return settings;
}

/** What goes only with beams, and what doesn't. */
function besideBeams({ beams, temperature = 0, ...rest }: GenerationSettings): readonly string[] {
  const { topK, topP, lengthPenalty, earlyStopping } = rest;
  const refused = beams > 1 ? { temperature: temperature || undefined, topK, topP } : { lengthPenalty, earlyStopping };
  const why = beams > 1 ? "draws tokens, and beams draw none" : "is for beams; give 2 or more";
  return Object.entries(refused).flatMap(([name, value]) => (value === undefined ? [] : [`\`${name}\` ${why}`]));
}

/** What is nothing by itself. */
function withoutSense({ repetitionIgnoresPrompt, repetitionPenalty, ...rest }: GenerationSettings): readonly string[] {
  const { noRepeatNgramSize, eosToken, stop } = rest;
  const repeats = repetitionPenalty === 1 && noRepeatNgramSize === undefined;
  return [
    ...(repetitionIgnoresPrompt && repeats
      ? ["`repetitionIgnoresPrompt` is for repetition; give its penalty, or the size of n-grams that never come twice"]
      : []),
    ...Object.entries({ eosToken, stop }).flatMap(([name, all]) =>
      all.includes("") ? [`\`${name}\` holds an empty text`] : [],
    ),
  ];
}
