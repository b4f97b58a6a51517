import { InputError } from "../errors.ts";
import { choice, choices, count, fraction, natural, nonnegative, positive, text, toggle } from "../settings/setting.ts";
import { grouped, readSettings, type SettingInputs, type SettingValues } from "../settings/settings.ts";
import { classWeights } from "./class-weights.ts";
import { optimizerNames } from "./optimizers.ts";
import { schedules } from "./schedules.ts";

/** What is used where nothing is said and nobody chooses. */
const plain = { lr: 1e-3, batch: 32, warmup: 0, prepack: false };

const chosen = "; chosen with the rate where none is named";

/** What may be said of how a model is trained, whatever it learns. Lengths of time are steps of the optimizer. */
export const trainingSettings = grouped("How it is trained", {
  epochs: positive(undefined, "passes over the data", { placeholder: "N", otherwise: `3${chosen}` }),
  steps: count(undefined, "steps of the optimizer, instead of epochs"),
  batch: count(undefined, "examples in a micro-batch", { otherwise: `${plain.batch}${chosen}` }),
  accumulate: count(1, "micro-batches in a step"),
  workers: count(1, "sessions that share a micro-batch's rows, each with its share of the threads"),
  recompute: toggle(false, "compute each block once more for its gradient: less memory, more time"),
  prepack: toggle(
    undefined,
    "pack the base's weights for the products once, not in every step: less time, more memory",
    "where a recipe says so",
  ),
  lr: nonnegative(undefined, "learning rate", { otherwise: "chosen by method and rows" }),
  schedule: choice(schedules, "linear", "how the rate moves"),
  warmup: nonnegative(undefined, "steps of warm-up, or a share of all steps", {
    placeholder: "N|FRACTION",
    otherwise: `${plain.warmup}${chosen}`,
  }),
  optimizer: choice(optimizerNames, "adamw", "the optimizer"),
  beta1: fraction(0.9, "decay of AdamW's first moment", { placeholder: "X" }),
  beta2: fraction(0.999, "decay of AdamW's second moment", { placeholder: "X" }),
  epsilon: positive(1e-8, "AdamW's epsilon"),
  weightDecay: nonnegative(0, "decoupled weight decay"),
  noDecay: choices(["bias", "norm"], "KINDS", "tensors that are not decayed: bias, norm or bias,norm"),
  clip: nonnegative(1, "largest norm of the gradient, 0 for none", { placeholder: "NORM" }),
  baseDropout: fraction(0, "the base's own dropout"),
  classWeights,
  labelSmoothing: fraction(0, "share of the target spread over all classes", { placeholder: "X" }),
  headLr: nonnegative(undefined, "the head's own learning rate", { otherwise: `that of all${chosen}` }),
  /** Hayou et al. 2024, arXiv:2402.12354, section 4 */
  loraPlus: positive(1, "LoRA+: the rate of B over that of A", { placeholder: "RATIO" }),
  pack: count(undefined, "put texts together into rows of N tokens, unseen by one another (causal-lm)"),
  seed: natural(0, "seed of everything random"),
  shuffle: toggle(true, "shuffle the rows in every epoch"),
  evaluateEvery: natural(undefined, "steps between evaluations, 0 for the end alone", {
    otherwise: "0; every epoch where the best is looked for",
  }),
  earlyStop: natural(0, "end after N evaluations without a better one", { otherwise: "0: never" }),
  keep: choice(
    ["best", "last"],
    undefined,
    "which of the evaluated adapters is kept",
    "last; best with early stopping",
  ),
  bestBy: text("METRIC", "the metric that says which is best", "loss"),
  checkpointEvery: natural(0, "steps between checkpoints", { otherwise: "0: where it is stopped" }),
});

/** How a model is taught by another one, beside its task. */
export const teachingSettings = {
  teacherWeight: positive(1, "weight of the distance to the teacher's vectors"),
};

const allSettings = { ...trainingSettings, ...teachingSettings };

/** How a run trains, with all defaults; written to run.json and read back on resume. */
export type TrainingSettings = SettingValues<typeof allSettings> & Readonly<typeof plain>;
export type TrainingInputs = SettingInputs<typeof allSettings>;

/**
 * Checked settings with their defaults: the rate 1e-3, 32 examples, no warm-up, nothing packed.
 * @throws InputError with every problem
 */
export function parseSettings(given: unknown): TrainingSettings {
  const {
    steps,
    lr = plain.lr,
    batch = plain.batch,
    warmup = plain.warmup,
    prepack = plain.prepack,
    ...settings
  } = readSettings(allSettings, given);
  if (steps !== undefined && settings.epochs !== undefined)
    throw new InputError("steps and epochs say the same; leave one out");
  return { ...settings, ...(steps !== undefined && { steps }), lr, batch, warmup, prepack };
}
