import { z } from "zod";
import { lossParts } from "../data/rows/encode.ts";
import { poolings } from "../nn/pooling.ts";
import { tasks } from "../objectives/objectives.ts";
import { byteSize } from "../settings/bytes.ts";
import { choice, count, type Setting, setting, text, toggle } from "../settings/setting.ts";
import { grouped } from "../settings/settings.ts";
import { cacheModes } from "../training/cache.ts";
import { keptTypes } from "../training/kept-type.ts";

/** Rows to evaluate on: where they are, or which share of the training rows they are. */
const validation: Setting<string | number | undefined> = {
  initial: undefined,
  placeholder: "DATA|FRACTION",
  help: "data to evaluate on, or the share of the training rows that is held out, 0 for none",
  otherwise: "the folder's own, or a tenth of texts with labels",
  read(given) {
    if (given === undefined) return { value: undefined };
    const number = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
    if (typeof number === "number" && !Number.isNaN(number))
      return number >= 0 && number < 1 ? { value: number } : { problems: ["is no share: one lies between 0 and 1"] };
    return typeof given === "string" && given !== ""
      ? { value: given }
      : { problems: ["is neither data nor a share between 0 and 1"] };
  },
};

/** How rows are found in data. */
export const columnSettings = grouped("How data are read", {
  text: text("COLUMN", "the column that holds the text", "found by its name"),
  textPair: text("COLUMN", "the column that holds the second text"),
  label: text("COLUMN", "the column that holds the label", "found by its name"),
  labelSeparator: text("TEXT", "what parts the labels of a cell that has any number of them", "a cell is one label"),
  header: toggle(true, "the first line of a CSV, a TSV or a workbook names its columns"),
  encoding: text("NAME", "the encoding of text files, such as latin1 or windows-1252", "utf-8"),
  sheet: text("NAME", "the sheet of a workbook that is read", "the first that is not hidden"),
});

/** What data are for, and which of them are held out. */
export const purposeSettings = grouped("What is learnt from which rows", {
  task: choice(tasks, undefined, "what is learned", "guessed from the data"),
  validation,
  trainRows: count(undefined, "train on N of the rows, drawn by seed 0; fewer are a part of more"),
});

/** How texts become tokens. */
export const tokenSettings = grouped("How texts become tokens", {
  maxLength: count(undefined, "tokens after which a text is cut", { otherwise: "as many as the base was trained on" }),
  lossOn: choice(
    lossParts,
    undefined,
    "which tokens of completions and conversations are learnt, and count when measured",
    "completions",
  ),
  endToken: setting<boolean>(
    z.preprocess((value) => (value === "yes" ? true : value === "no" ? false : value), z.boolean()),
    {
      initial: true,
      placeholder: "yes|no",
      otherwise: "yes",
      help: "whether a language model's rows of text end with the tokenizer's end token",
    },
  ),
});

/** How rows are computed. */
export const batchSettings = { batch: count(32, "rows that are computed together") };

/** How a method is put on a base. */
export const adaptSettings = {
  pooling: choice(
    poolings,
    undefined,
    "what the head reads of a text",
    "a sentence encoder's own; else what Hugging Face's class reads",
  ),
};

/** What a training keeps from epoch to epoch. */
export const cacheSettings = {
  cache: choice(cacheModes, "auto", "where what stays the same from epoch to epoch is kept"),
  cacheSize: byteSize("the most that is kept of it, in memory and in its file together"),
  cacheType: choice(
    keptTypes,
    "float32",
    "how it is kept; bfloat16 takes half, and its rounding moves the losses a little",
  ),
};
