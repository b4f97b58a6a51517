import { InputError, optimizerNames, parseSettings, schedules, type TrainingSettings } from "@petl/core";
import { z } from "zod";
import { choice, count, type FlagValues, number, text } from "./flags.ts";

export const optional = (schema: z.ZodNumber, placeholder: string, help: string) =>
  number(schema.optional(), placeholder, help);

/** How a model is trained, whatever it learns. */
export const trainingFlags = {
  epochs: optional(z.number().positive(), "N", "passes over the data (3)"),
  steps: count("steps of the optimizer, instead of --epochs"),
  batch: count("examples in a micro-batch (32)"),
  accumulate: count("micro-batches in a step (1)"),
  lr: optional(z.number().nonnegative(), "X", "learning rate"),
  schedule: choice(schedules, "how the rate moves (linear)"),
  warmup: optional(z.number().nonnegative(), "N|FRACTION", "steps of warm-up, or a share of all steps"),
  optimizer: choice(optimizerNames, "the optimizer (adamw)"),
  beta1: optional(z.number(), "X", "decay of AdamW's first moment (0.9)"),
  beta2: optional(z.number(), "X", "decay of AdamW's second moment (0.999)"),
  epsilon: optional(z.number(), "X", "AdamW's epsilon (1e-8)"),
  weightDecay: optional(z.number(), "X", "decoupled weight decay (0)"),
  noDecay: text("KINDS", "tensors that are not decayed: bias, norm or bias,norm"),
  clip: optional(z.number(), "NORM", "largest norm of the gradient, 0 for none (1)"),
  labelSmoothing: optional(z.number(), "X", "share of the target spread over all classes (0)"),
  seed: number(z.int().nonnegative().optional(), "N", "seed of everything random (0)"),
  checkpointEvery: number(z.int().nonnegative().optional(), "N", "steps between checkpoints (200)"),
  evaluateEvery: number(z.int().nonnegative().optional(), "N", "steps between evaluations (0: at the end)"),
  earlyStop: number(z.int().nonnegative().optional(), "N", "end after N evaluations without a smaller loss (0: never)"),
  logEvery: count("steps between lines of metrics.jsonl (1)"),
  threads: count("threads that share the work (default: the machine's cores)"),
  device: choice(["cpu"], "where the model is computed"),
};

/** The flags that are settings of a run. */
type SettingFlags = Omit<FlagValues<typeof trainingFlags>, "logEvery" | "threads" | "device">;

type Given<T> = { readonly [name in keyof T]?: T[name] | undefined };

/** The run's settings: what was given, `more`, which is said in another way, and the defaults. */
export function settingsOf(given: SettingFlags, more: Given<TrainingSettings>): TrainingSettings {
  const { optimizer, beta1, beta2, epsilon, weightDecay, clip, labelSmoothing, steps, epochs, batch } = given;
  const { accumulate, lr, schedule, warmup, seed, evaluateEvery, earlyStop, checkpointEvery = 200 } = given;
  if (steps !== undefined && epochs !== undefined)
    throw new InputError("--steps and --epochs say the same; leave one out");
  const all = {
    ...{ optimizer, beta1, beta2, epsilon, weightDecay, clip, labelSmoothing, steps, epochs, batch },
    ...{ accumulate, lr, schedule, warmup, seed, evaluateEvery, earlyStop, checkpointEvery },
    noDecay: given.noDecay?.split(","),
  };
  const said = Object.entries(all).filter(([, value]) => value !== undefined);
  const known = Object.entries(more).filter(([, value]) => value !== undefined);
  return parseSettings({ ...Object.fromEntries(known), ...Object.fromEntries(said) });
}
