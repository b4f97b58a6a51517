import { z } from "zod";
import { InputError } from "../errors.ts";
import { optimizerNames } from "./optimizers.ts";
import { schedules } from "./schedules.ts";

/**
 * Everything about a run but its data, its model and its method; written to run.json and read back on resume.
 * Lengths of time are steps of the optimizer.
 */
export const trainingSettings = z.strictObject({
  /** steps in all; where left out, those of `epochs` passes over the data */
  steps: z.int().positive().optional(),
  epochs: z.number().positive().default(3),
  /** examples in a micro-batch */
  batch: z.int().positive().default(32),
  /** micro-batches in a step */
  accumulate: z.int().positive().default(1),
  lr: z.number().nonnegative().default(1e-3),
  schedule: z.enum(schedules).default("linear"),
  /** steps of warm-up; a number below 1 is that share of all steps */
  warmup: z.number().nonnegative().default(0),
  optimizer: z.enum(optimizerNames).default("adamw"),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
  weightDecay: z.number().nonnegative().default(0),
  /** kinds of tensors that are not decayed */
  noDecay: z.array(z.enum(["bias", "norm"])).default([]),
  /** largest norm of the gradient; 0 for no clipping */
  clip: z.number().nonnegative().default(1),
  /** tokens of the rows that texts are packed into, each unseen by the others; a row for each text where left out */
  pack: z.int().positive().optional(),
  /** the base's own dropout */
  dropout: z.number().min(0).lt(1).default(0),
  /** of the distance to a teacher's vectors beside the task's loss, where there is a teacher */
  teacherWeight: z.number().positive().default(1),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  /** the head's own learning rate */
  headLr: z.number().nonnegative().optional(),
  /** LoRA+: the rate of LoRA's B over that of its A (Hayou et al. 2024, arXiv:2402.12354, section 4) */
  loraPlus: z.number().positive().default(1),
  seed: z.int().nonnegative().default(0),
  shuffle: z.boolean().default(true),
  /** steps between evaluations; 0: only at the end */
  evaluateEvery: z.int().nonnegative().default(0),
  /** steps between checkpoints; 0: only when interrupted */
  checkpointEvery: z.int().nonnegative().default(0),
  /** evaluations without a smaller loss after which the run ends; 0: never */
  earlyStop: z.int().nonnegative().default(0),
});
export type TrainingSettings = Readonly<z.infer<typeof trainingSettings>>;

/** Checked settings with their defaults; every problem in one error. */
export function parseSettings(given: unknown): TrainingSettings {
  const parsed = trainingSettings.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InputError(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message.toLowerCase()}`));
}
