import { InputError } from "../../errors.ts";
import { extensionOf, tableExtensions } from "./readers.ts";

/** The files of each split, in order; more than one only where a split comes in numbered shards. */
export interface Splits {
  readonly train?: readonly string[];
  readonly validation?: readonly string[];
  readonly test?: readonly string[];
}
type Split = keyof Splits;

const words: Readonly<Record<string, Split>> = {
  train: "train",
  training: "train",
  trainset: "train",
  dev: "validation",
  devset: "validation",
  validation: "validation",
  valid: "validation",
  validset: "validation",
  val: "validation",
  eval: "validation",
  test: "test",
  testing: "test",
  testset: "test",
};

/**
 * Which of a folder's data files is which split, by the words of their names: `train`, `dev|validation|valid|val|eval`,
 * `test`. Shards (`train-00000-of-00002.parquet`) belong together; of MNLI's two the matched set is taken. A lone data
 * file without such a word is the training set. Files of other kinds don't count, nor plain text beside tables.
 * @throws InputError listing the files: none can be told, or two claim the same split.
 */
export function findSplits(folder: string, files: readonly string[]): Splits {
  const known = files.filter((file) => tableExtensions.includes(extensionOf(file)) && !isMismatched(file)).sort();
  const tables = known.filter((file) => extensionOf(file) !== "txt");
  const readable = tables.length > 0 ? tables : known.filter((file) => splitsOf(file).size > 0); // notes lie everywhere
  const claims = new Map<Split, string[]>();
  for (const file of readable) {
    const splits = splitsOf(file);
    for (const split of splits) claims.set(split, [...(claims.get(split) ?? []), file]);
  }
  if (claims.size === 0) return withoutWords(folder, readable);
  const problems = [...claims].filter(([, claiming]) => !areShards(claiming));
  if (problems.length > 0) {
    throw new InputError(
      problems.map(
        ([split, claiming]) => `${folder}: ${claiming.join(", ")} could each be the ${split} set; name one file`,
      ),
    );
  }
  return Object.fromEntries(claims);
}

function withoutWords(folder: string, readable: readonly string[]): Splits {
  if (readable.length === 1) return { train: readable };
  const endings = tableExtensions.map((ending) => `.${ending}`).join(", ");
  if (readable.length === 0) throw new InputError(`${folder} holds no data file (${endings})`);
  throw new InputError(
    `${folder}: none of ${readable.join(", ")} is named train, validation (dev, valid, val, eval) or test`,
  );
}

/** The splits that a file's own name speaks of; where it speaks of none, those of its folders. */
function splitsOf(file: string): ReadonlySet<Split> {
  const parts = file.toLowerCase().split(/[/\\]/);
  const found = (text: string) => new Set(text.split(/[^a-z]+/).flatMap((word) => words[word] ?? []));
  const own = found(parts.at(-1)!.replace(/\.[^.]+$/, ""));
  return own.size > 0 ? own : found(parts.slice(0, -1).join("/"));
}

const isMismatched = (file: string) => /mismatched/i.test(file);

/** One file, or files whose names differ only in the number of the shard. */
function areShards(files: readonly string[]): boolean {
  const shapes = new Set(files.map((file) => file.replace(/\d+(?=-of-\d+)/, "N").replace(/-[0-9a-f]{16}(?=\.)/, "")));
  return files.length === 1 || (shapes.size === 1 && files.every((file) => /\d+-of-\d+/.test(file)));
}
