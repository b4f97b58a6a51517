import {
  InputError,
  optimizerNames,
  parseSettings,
  poolings,
  schedules,
  type TrainingSettings,
  tasks,
} from "@petl/core";
import { z } from "zod";
import { choice, count, type FlagValues, number, text, toggle } from "./flags.ts";
import { offlineFlag } from "./open.ts";

const optional = (schema: z.ZodNumber, placeholder: string, help: string) =>
  number(schema.optional(), placeholder, help);

/** What `petl train` can be told, besides the methods' options. */
export const trainFlags = {
  base: text("BASE", "the base model: a folder, a hub id (owner/name[@revision]) or a bundled name"),
  data: text("DATA", "a data file, or a folder with train, validation and test files"),
  method: text("METHOD", "the method, or several joined by +; `petl methods` lists them"),
  out: text("DIR", "the folder that receives adapter, metrics.jsonl and run.json"),
  resume: text("DIR", "go on with the run in this folder; needs nothing else"),
  overwrite: toggle(false, "replace what --out holds"),
  init: text("ADAPTER", "start from this adapter"),
  task: choice(tasks, "what is learned (default: guessed from the data)"),
  pooling: choice(poolings, "what the head reads of a text"),
  validation: text("DATA|FRACTION", "data to evaluate on, or the share of the training data that is held out"),
  text: text("COLUMN", "the column that holds the text"),
  textPair: text("COLUMN", "the column that holds the second text"),
  label: text("COLUMN", "the column that holds the label"),
  header: toggle(true, "the first line of a CSV or TSV names its columns"),
  maxLength: count("tokens after which a text is cut"),
  epochs: optional(z.number().positive(), "N", "passes over the data (3)"),
  steps: count("steps of the optimizer, instead of --epochs"),
  batch: count("examples in a micro-batch (32)"),
  accumulate: count("micro-batches in a step (1)"),
  lr: optional(z.number().nonnegative(), "X", "learning rate (default: by method)"),
  headLr: optional(z.number().nonnegative(), "X", "the head's own learning rate"),
  loraPlus: optional(z.number().positive(), "RATIO", "LoRA+: the rate of B over that of A"),
  schedule: choice(schedules, "how the rate moves (linear)"),
  warmup: optional(z.number().nonnegative(), "N|FRACTION", "steps of warm-up, or a share of all steps"),
  optimizer: choice(optimizerNames, "the optimizer (adamw)"),
  beta1: optional(z.number(), "X", "decay of AdamW's first moment (0.9)"),
  beta2: optional(z.number(), "X", "decay of AdamW's second moment (0.999)"),
  epsilon: optional(z.number(), "X", "AdamW's epsilon (1e-8)"),
  weightDecay: optional(z.number(), "X", "decoupled weight decay (0)"),
  noDecay: text("KINDS", "tensors that are not decayed: bias, norm or bias,norm"),
  clip: optional(z.number(), "NORM", "largest norm of the gradient, 0 for none (1)"),
  dropout: optional(z.number(), "P", "the method's dropout where it has one, otherwise the base's own (0)"),
  baseDropout: optional(z.number(), "P", "the base's own dropout (0)"),
  labelSmoothing: optional(z.number(), "X", "share of the target spread over all classes (0)"),
  seed: number(z.int().nonnegative().optional(), "N", "seed of everything random (0)"),
  shuffle: toggle(true, "shuffle the rows in every epoch"),
  checkpointEvery: number(z.int().nonnegative().optional(), "N", "steps between checkpoints (200)"),
  evaluateEvery: number(z.int().nonnegative().optional(), "N", "steps between evaluations (0: at the end)"),
  earlyStop: number(z.int().nonnegative().optional(), "N", "end after N evaluations without a smaller loss (0: never)"),
  logEvery: count("steps between lines of metrics.jsonl (1)"),
  threads: count("threads that share the work (default: the machine's cores)"),
  device: choice(["cpu"], "where the model is computed"),
  offline: offlineFlag,
};
export type TrainFlags = FlagValues<typeof trainFlags>;

/** The run's settings; `rate` is the method's own learning rate, for where none is given. */
export function settingsOf(
  given: TrainFlags,
  rate: number | undefined,
  baseDropout: number | undefined,
): TrainingSettings {
  const { optimizer, beta1, beta2, epsilon, weightDecay, clip, labelSmoothing, headLr, loraPlus } = given;
  const { steps, epochs, batch, accumulate, schedule, warmup, seed, shuffle, evaluateEvery, earlyStop } = given;
  if (steps !== undefined && epochs !== undefined)
    throw new InputError("--steps and --epochs say the same; leave one out");
  const noDecay = given.noDecay?.split(",");
  const all = {
    ...{ optimizer, beta1, beta2, epsilon, weightDecay, clip, labelSmoothing, headLr, loraPlus, noDecay },
    ...{ steps, epochs, batch, accumulate, schedule, warmup, seed, shuffle, evaluateEvery, earlyStop },
    ...{ lr: given.lr ?? rate, dropout: baseDropout, checkpointEvery: given.checkpointEvery ?? 200 },
  };
  return parseSettings(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
}
