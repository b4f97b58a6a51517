import {
  type DataSource,
  type GuessedTask,
  InputError,
  type OpenBase,
  type OpenData,
  type OpenDataOptions as OpenDataOptionsOf,
  openData as openDataOf,
  requireOptions,
  type Task,
} from "@petl/core";
import { type DataAccess, type DataFile, findData, givenTwice } from "../data/find-data.ts";
import { pausing } from "../data/pausing.ts";
import { readData } from "../data/read-data.ts";

/** What may be said of data; `validation` also names a file or folder. */
export interface OpenDataOptions
  extends Omit<OpenDataOptionsOf, "validation" | "pause">,
    Pick<DataAccess, "offline" | "onProgress"> {
  /** rows, a file or folder, or the share of the training rows to hold out; the folder's own, else a tenth of texts with labels */
  readonly validation?: OpenDataOptionsOf["validation"] | string;
}

/**
 * Opens data: a file (CSV, TSV, JSONL, Parquet, xlsx …) or several, a folder with train, validation and test files, a data
 * set on the hub (`owner/name[@revision][:configuration]`), or rows in memory. Columns are found by their usual names, or
 * said.
 *
 * @throws InputError naming the file, the line or the column; the signal's reason
 */
export function openData<T extends Task>(
  source: string | readonly string[] | DataSource,
  base: OpenBase,
  options: OpenDataOptions & { readonly task: T },
): Promise<OpenData<T>>;
export function openData<S extends string | readonly string[] | DataSource>(
  source: S,
  base: OpenBase,
  options?: OpenDataOptions,
): Promise<OpenData<GuessedTask<S>>>;
export async function openData(
  source: string | readonly string[] | DataSource,
  base: OpenBase,
  options: OpenDataOptions = {},
): Promise<OpenData> {
  const { validation, offline, onProgress, ...rest } = requireOptions(options);
  const signal = rest.signal instanceof AbortSignal ? rest.signal : undefined;
  const access = { offline, onProgress, signal };
  const { text, textPair, label, labelSeparator, header, encoding, sheet } = rest;
  const columns = { text, textPair, label, labelSeparator, header, encoding, sheet };
  const read = async (files: readonly DataFile[] | undefined) => files && (await readData(files, columns, access)).set;
  const held = typeof validation === "string" ? await read(await validationFiles(validation, access)) : validation;
  const paths = pathsOf(source);
  if (!paths) return openDataOf(checkedSource(source), base, { ...rest, validation: held });
  const { train, validation: own, test } = await findData(paths, "train", access);
  if (!train)
    throw new InputError(`${paths.join(", ")} holds no training file; name one train.csv, .tsv, .jsonl or .parquet`);
  const splits = {
    train: (await readData(train, columns, access)).set,
    validation: held === undefined ? await read(own) : undefined,
    test: await read(test),
  };
  const data = await openDataOf(splits, base, { ...rest, validation: held, pause: pausing(signal) });
  return { ...data, remarks: [...(await givenTwice(train)), ...data.remarks] };
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

async function validationFiles(given: string, access: DataAccess): Promise<readonly DataFile[]> {
  const found = await findData(given, "validation", access);
  if (found.validation) return found.validation;
  throw new InputError(`${given} has no validation set; it has ${Object.keys(found).join(", ")}`);
}
