import {
  count as counted,
  floatTypes,
  innerFraction,
  nonnegative,
  positive,
  real,
  share,
  trainingSettings,
} from "@petl/core";
import { type FlagValues, optionalChoice, optionalCount, text, texts, toggle } from "../flags/flags.ts";
import { offlineFlag } from "../flags/shared-flags.ts";
import { pretrainedArchitectures } from "../pretraining/record.ts";

const { epochs, steps, batch, accumulate, schedule, optimizer, beta1, beta2, epsilon, noDecay, clip } =
  trainingSettings;
const { labelSmoothing, seed, evaluateEvery, earlyStop, keep, bestBy } = trainingSettings;

/** How a model is trained from nothing. */
export const pretrainingSettings = {
  epochs,
  steps,
  batch,
  accumulate,
  schedule,
  optimizer,
  beta1,
  beta2,
  epsilon,
  noDecay,
  clip,
  labelSmoothing,
  seed,
  evaluateEvery,
  earlyStop,
  keep,
  bestBy,
  teacherWeight: positive(undefined, "weight of the distance to the teacher's vectors", { otherwise: "1" }),
  lr: nonnegative(1e-3, "learning rate"),
  warmup: nonnegative(0.05, "steps of warm-up, or a share of all steps", { placeholder: "N|FRACTION" }),
  weightDecay: nonnegative(0.01, "decoupled weight decay"),
  checkpointEvery: nonnegative(200, trainingSettings.checkpointEvery.help, { placeholder: "N" }),
};

/** What `petl pretrain` can be told. */
export const pretrainFlags = {
  text: texts("FILE|FOLDER", "text to learn from: .txt or .md, plain or .gz, or a folder of them"),
  out: text("DIR", "the folder that receives the model, metrics.jsonl and run.json"),
  resume: text("DIR", "go on with the run in this folder; needs nothing else"),
  overwrite: toggle(false, "replace what --out holds"),
  prepared: text("FOLDER", "keep here what is made from the text, or take it from here, so that other runs need not"),
  architecture: optionalChoice(pretrainedArchitectures, "the kind of model (bert)"),
  layers: optionalCount("layers (4)"),
  hidden: optionalCount("width of the model (256)"),
  heads: optionalCount("attention heads (4)"),
  feedForward: optionalCount("width of the feed-forward layers (bert: 4, llama: 8/3 times the model's)"),
  vocabulary: optionalCount("tokens of the tokenizer that is made (8192)"),
  lowercase: toggle(true, "the tokenizer knows no capital letters (encoders)"),
  words: text("FILE", "words that the tokenizer knows whole, one a line, however rare in the text (encoders)"),
  tokenizer: text("FOLDER", "take the tokenizer of this folder instead of making one"),
  maxLength: optionalCount("tokens of the longest row, and positions of the model (128)"),
  shortShare: share(0.3, "share of an encoder's rows that are shorter by chance"),
  heldOut: innerFraction(0.01, "share of the rows that is only evaluated on"),
  teacher: text("BASE", "a base model whose vectors of whole texts an encoder learns too: a folder or a hub id"),
  dtype: optionalChoice(floatTypes, "type of the weights that are written (float32)"),
  ...pretrainingSettings,
  logEvery: counted(1, "steps between lines of metrics.jsonl"),
  threads: counted(undefined, "threads that share the work", { otherwise: "the machine's cores" }),
  offline: offlineFlag,
  dropout: real(0, "dropout while training", { placeholder: "P" }),
};
export type PretrainFlags = FlagValues<typeof pretrainFlags>;
