import { lossParts, poolings, tasks } from "@petl/core";
import { z } from "zod";
import { choice, count, type FlagValues, text, toggle } from "./flags.ts";
import { endTokenFlag, offlineFlag, readFlags } from "./open.ts";
import { optional, trainingFlags } from "./training-flags.ts";

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
  ...readFlags,
  maxLength: count("tokens after which a text is cut"),
  lossOn: choice(lossParts, "which tokens of completions and conversations are learnt (completions)"),
  endToken: endTokenFlag,
  pack: count("put texts together into rows of N tokens, unseen by one another (causal-lm)"),
  ...trainingFlags,
  lr: optional(z.number().nonnegative(), "X", "learning rate (default: by method)"),
  headLr: optional(z.number().nonnegative(), "X", "the head's own learning rate"),
  loraPlus: optional(z.number().positive(), "RATIO", "LoRA+: the rate of B over that of A"),
  dropout: optional(z.number(), "P", "the method's dropout where it has one, otherwise the base's own (0)"),
  baseDropout: optional(z.number(), "P", "the base's own dropout (0)"),
  shuffle: toggle(true, "shuffle the rows in every epoch"),
  offline: offlineFlag,
};
export type TrainFlags = FlagValues<typeof trainFlags>;
