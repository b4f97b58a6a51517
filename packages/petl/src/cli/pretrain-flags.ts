import { floatTypes } from "@petl/core";
import { z } from "zod";
import { pretrainedArchitectures } from "../pretraining/record.ts";
import { choice, count, type FlagValues, number, text, texts, toggle } from "./flags.ts";
import { offlineFlag } from "./open.ts";
import { optional, trainingFlags } from "./training-flags.ts";

/** What `petl pretrain` can be told. */
export const pretrainFlags = {
  text: texts("FILE|FOLDER", "text to learn from: .txt or .md, plain or .gz, or a folder of them"),
  out: text("DIR", "the folder that receives the model, metrics.jsonl and run.json"),
  resume: text("DIR", "go on with the run in this folder; needs nothing else"),
  overwrite: toggle(false, "replace what --out holds"),
  prepared: text("FOLDER", "keep here what is made from the text, or take it from here, so that other runs need not"),
  architecture: choice(pretrainedArchitectures, "the kind of model (bert)"),
  layers: count("layers (4)"),
  hidden: count("width of the model (256)"),
  heads: count("attention heads (4)"),
  feedForward: count("width of the feed-forward layers (bert: 4, llama: 8/3 times the model's)"),
  vocabulary: count("tokens of the tokenizer that is made (8192)"),
  lowercase: toggle(true, "the tokenizer knows no capital letters (encoders)"),
  words: text("FILE", "words that the tokenizer knows whole, one a line, however rare in the text (encoders)"),
  tokenizer: text("FOLDER", "take the tokenizer of this folder instead of making one"),
  maxLength: count("tokens of the longest row, and positions of the model (128)"),
  shortShare: number(
    z.number().min(0).max(1).default(0.3),
    "SHARE",
    "share of an encoder's rows that are shorter by chance",
  ),
  heldOut: number(z.number().positive().lt(1).default(0.01), "SHARE", "share of the rows that is only evaluated on"),
  teacher: text("BASE", "a base model whose vectors of whole texts an encoder learns too: a folder or a hub id"),
  teacherWeight: optional(z.number().positive(), "X", "weight of the distance to the teacher's vectors (1)"),
  dtype: choice(floatTypes, "type of the weights that are written (float32)"),
  ...trainingFlags,
  lr: optional(z.number().nonnegative(), "X", "learning rate (1e-3)"),
  offline: offlineFlag,
  dropout: optional(z.number(), "P", "dropout while training (0)"),
};
export type PretrainFlags = FlagValues<typeof pretrainFlags>;
