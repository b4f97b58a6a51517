import { z } from "zod";
import { InputError } from "../errors.ts";

/** How a text goes on: the likeliest token each time, or one drawn where temperature, topK or topP are given. */
export const generationSettings = z.strictObject({
  /** new tokens at most */
  maxTokens: z.int().positive().default(128),
  /** the logits are divided by it before a token is drawn; 0: the likeliest token */
  temperature: z.number().nonnegative().optional(),
  /** only the K likeliest tokens are drawn */
  topK: z.int().positive().optional(),
  /** only the likeliest tokens that together have this probability are drawn (Holtzman et al. 2019, arXiv:1904.09751) */
  topP: z.number().positive().max(1).optional(),
  /** tokens that are there already become less likely above 1 (Keskar et al. 2019, arXiv:1909.05858, section 4.1) */
  repetitionPenalty: z.number().positive().default(1),
  seed: z.int().nonnegative().default(0),
  /** texts that end the generation; they are not part of the text that is given */
  stop: z.array(z.string().min(1)).default([]),
});
export type GenerationSettings = Readonly<z.infer<typeof generationSettings>>;

/** Checked settings with their defaults; every problem in one error. */
export function parseGenerationSettings(given: unknown): GenerationSettings {
  const parsed = generationSettings.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InputError(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message.toLowerCase()}`));
}
