import { type ExampleSet, holdOut, InputError, type Task } from "@petl/core";
import { type DataOptions, findData, readData } from "../data.ts";
import type { OpenBase } from "./open-base.ts";
import { findPurpose, type Purpose } from "./purpose.ts";

/** Labelled rows, parted, and what they are for. */
export interface OpenData extends Purpose {
  readonly train: ExampleSet;
  readonly validation: ExampleSet;
  /** present where the data come as a folder that has one */
  readonly test: ExampleSet | undefined;
  /** what was guessed, in words */
  readonly remarks: readonly string[];
}

export interface OpenDataOptions extends DataOptions {
  /** guessed from the labels where left out; `masked-lm` must be said, since its rows need no labels */
  readonly task?: Task | undefined;
  /** names of the classes in the order of their ids; those of the base's head or of the data where left out */
  readonly labels?: readonly string[] | undefined;
  /** a file or folder, or the share of the training rows to hold out; where left out the folder's own, else a tenth */
  readonly validation?: string | number | undefined;
  /** which rows are held out; 0 where left out */
  readonly seed?: number | undefined;
}

/**
 * Reads a data file (CSV, TSV, JSONL, Parquet) or a folder with train, validation and test files. Columns are found by
 * their usual names, or said.
 *
 * @throws InputError naming the file, the line or the column
 */
export async function openData(path: string, base: OpenBase, options: OpenDataOptions = {}): Promise<OpenData> {
  const { task, labels, validation, seed = 0, ...columns } = options;
  const { files } = await findData(path, "train");
  if (!files.train)
    throw new InputError(`${path} holds no training file; name one train.csv, .tsv, .jsonl or .parquet`);
  const { set } = await readData(files.train, columns);
  const held = await validationFiles(validation, files.validation);
  const parts =
    typeof held === "number"
      ? holdOutRows(set, held, seed)
      : { train: set, validation: (await readData(held, columns)).set };
  const test = files.test && (await readData(files.test, columns)).set;
  return { ...findPurpose(base, set, { task, labels }), ...parts, test };
}

async function validationFiles(given: string | number | undefined, own: readonly string[] | undefined) {
  if (given === undefined) return own ?? 0.1;
  if (typeof given === "number") return checkedShare(given);
  const { files } = await findData(given, "validation");
  if (files.validation) return files.validation;
  throw new InputError(`${given} has no validation set; it has ${Object.keys(files).join(", ")}`);
}

function checkedShare(share: number): number {
  if (share > 0 && share < 1) return share;
  throw new InputError(`validation ${share} is not possible: a share lies between 0 and 1`);
}

/** Parts a set's rows by chance, the same way for the same seed. */
export function holdOutRows(
  set: ExampleSet,
  share: number,
  seed: number,
): { readonly train: ExampleSet; readonly validation: ExampleSet } {
  const { kept, held } = holdOut([...set.examples.keys()], share, seed);
  const part = (rows: readonly number[]): ExampleSet => ({
    ...set,
    examples: rows.flatMap((row) => set.examples[row] ?? []),
    placeOf: (index) => set.placeOf(rows[index] ?? index),
  });
  return { train: part(kept), validation: part(held) };
}
