import { floatTypes, parseSettings } from "@petl/core";
import { z } from "zod";

/** The kinds of models that can be pretrained, as config.json's `model_type`. */
export const pretrainedArchitectures = ["bert", "llama"] as const;
export type PretrainedArchitecture = (typeof pretrainedArchitectures)[number];

/** The sizes of a model to be. */
const sizes = z.strictObject({
  layers: z.int().positive(),
  hidden: z.int().positive(),
  heads: z.int().positive(),
  feed_forward: z.int().positive(),
});

/** A tokenizer that is learned from the text. */
const learnedTokenizer = z.strictObject({
  vocabulary: z.int().positive(),
  lowercase: z.boolean(),
  /** a file of words that it knows whole, one a line */
  words: z.strictObject({ file: z.string(), sha256: z.string() }).optional(),
});
export type LearnedTokenizer = Readonly<z.infer<typeof learnedTokenizer>>;

/** What a pretraining run is, whole: from it alone the run can be repeated or gone on with. */
export const pretrainingRecord = z.strictObject({
  petl: z.string(),
  kind: z.literal("pretraining"),
  /** files and folders of text */
  text: z.array(z.string()),
  /** SHA-256 of the files' bytes */
  text_sha256: z.string(),
  /** the folder that keeps what is made from the text; where left out, it lies in the run's own and goes at the end */
  prepared: z.string().optional(),
  /** the folder that it is taken from, or what is to be learned */
  tokenizer: z.union([z.strictObject({ folder: z.string() }), learnedTokenizer]),
  architecture: z.enum(pretrainedArchitectures),
  sizes,
  max_length: z.int().positive(),
  /** share of an encoder's rows that end early by chance */
  short_share: z.number().min(0).max(1),
  /** share of the rows that are never trained on */
  held_out: z.number().positive().lt(1),
  /** a base model whose vectors of whole texts are learned too */
  teacher: z.strictObject({ base: z.string(), folder: z.string(), sha256: z.string() }).optional(),
  dtype: z.enum(floatTypes),
  log_every: z.int().positive(),
  threads: z.int().positive().optional(),
  settings: z.unknown().transform(parseSettings),
});
export type PretrainingRecord = Readonly<z.infer<typeof pretrainingRecord>>;
