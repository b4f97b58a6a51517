import {
  type DataSource,
  InputError,
  type OpenBase,
  type OpenData,
  type OpenDataOptions as OpenDataOptionsOf,
  openData as openDataOf,
} from "@petl/core";
import { findData, readData } from "../data.ts";

/** What may be said of data; `validation` also names a file or folder. */
export interface OpenDataOptions extends Omit<OpenDataOptionsOf, "validation"> {
  /** rows, a file or folder, or the share of the training rows to hold out; the folder's own, else a tenth of texts with labels */
  readonly validation?: OpenDataOptionsOf["validation"] | string;
}

/**
 * Opens data: a file (CSV, TSV, JSONL, Parquet) or several, a folder with train, validation and test files, or rows in
 * memory. Columns are found by their usual names, or said.
 *
 * @throws InputError naming the file, the line or the column; the signal's reason
 */
export async function openData(
  source: string | readonly string[] | DataSource,
  base: OpenBase,
  options: OpenDataOptions = {},
): Promise<OpenData> {
  const { validation, ...rest } = { ...options };
  const { text, textPair, label, labelSeparator, header, encoding, sheet } = rest;
  const columns = { text, textPair, label, labelSeparator, header, encoding, sheet };
  const held =
    typeof validation === "string" ? (await readData(await validationFiles(validation), columns)).set : validation;
  const paths = pathsOf(source);
  if (!paths) return openDataOf(checkedSource(source), base, { ...rest, validation: held });
  const { train, ...files } = await trainingFiles(paths);
  const read = async (names: readonly string[] | undefined) => names && (await readData(names, columns)).set;
  return openDataOf(
    {
      train: (await readData(train, columns)).set,
      validation: held === undefined ? await read(files.validation) : undefined,
      test: await read(files.test),
    },
    base,
    { ...rest, validation: held },
  );
}

const pathsOf = (source: unknown): readonly string[] | undefined =>
  typeof source === "string"
    ? [source]
    : Array.isArray(source) && source.length > 0 && source.every((path) => typeof path === "string")
      ? source
      : undefined;

function checkedSource(source: string | readonly string[] | DataSource): DataSource {
  if (typeof source === "object" && !pathsOf(source)) return source as DataSource;
  throw new InputError("data are missing; give a path, rows or { train, validation, test }");
}

/** The files of one source, or of several lone files one behind the other. */
async function trainingFiles(paths: readonly string[]) {
  const found = await Promise.all(paths.map((path) => findData(path, "train")));
  const joined = (split: "train" | "validation" | "test") => {
    const files = found.flatMap(({ files }) => files[split] ?? []);
    return files.length > 0 ? files : undefined;
  };
  const train = joined("train");
  if (train) return { train, validation: joined("validation"), test: joined("test") };
  throw new InputError(`${paths.join(", ")} holds no training file; name one train.csv, .tsv, .jsonl or .parquet`);
}

export async function validationFiles(given: string): Promise<readonly string[]> {
  const { files } = await findData(given, "validation");
  if (files.validation) return files.validation;
  throw new InputError(`${given} has no validation set; it has ${Object.keys(files).join(", ")}`);
}
