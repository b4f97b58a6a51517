import { z } from "zod";
import { InputError, type Schema, schemaProblems } from "../errors.ts";

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

const fields = z.strictObject({
  maxTokens: z.int().positive().default(128),
  temperature: z.number().nonnegative().optional(),
  topK: z.int().positive().optional(),
  topP: z.number().positive().max(1).optional(),
  repetitionPenalty: z.number().positive().default(1),
  noRepeatNgramSize: z.int().positive().optional(),
  repetitionIgnoresPrompt: z.boolean().default(false),
  beams: z.int().positive().default(1),
  lengthPenalty: z.number().optional(),
  earlyStopping: z.union([z.boolean(), z.literal("never")]).optional(),
  seed: z.int().nonnegative().default(0),
  eosToken: z.array(z.string().min(1)).default([]),
  stop: z.array(z.string().min(1)).default([]),
});

/** What goes only with beams, and what doesn't; what is nothing by itself. */
const generationSettings: Schema<GenerationSettings> = fields.superRefine(
  ({ beams, lengthPenalty, earlyStopping, ...rest }, { addIssue }) => {
    const { temperature = 0, topK, topP } = rest;
    const refused =
      beams > 1 ? { temperature: temperature || undefined, topK, topP } : { lengthPenalty, earlyStopping };
    const message = beams > 1 ? "draws tokens, and beams draw none" : "is for beams; give 2 or more";
    for (const [name, value] of Object.entries(refused)) {
      if (value !== undefined) addIssue({ code: "custom", path: [name], message });
    }
    const { repetitionIgnoresPrompt, repetitionPenalty, noRepeatNgramSize } = rest;
    if (repetitionIgnoresPrompt && repetitionPenalty === 1 && noRepeatNgramSize === undefined)
      addIssue({
        ...{ code: "custom", path: ["repetitionIgnoresPrompt"] },
        message: "is for repetition; give its penalty, or the size of n-grams that never come twice",
      });
  },
);

/** Checked settings with their defaults; every problem in one error. */
export function parseGenerationSettings(given: unknown): GenerationSettings {
  const parsed = generationSettings.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InputError(schemaProblems(parsed.error.issues));
}
