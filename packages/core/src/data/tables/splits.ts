import { InputError } from "../../errors.ts";
import { extensionOf, tableExtensions } from "./readers.ts";

/** The files of each split, in order; more than one only where a split comes in numbered shards. */
export interface SplitFiles {
  readonly train?: readonly string[];
  readonly validation?: readonly string[];
  readonly test?: readonly string[];
}
type Split = keyof SplitFiles;

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

/** The usual split that a data set's own name for one means: `train_sft` is training. */
export function splitNamed(name: string): Split | undefined {
  const [found, ...more] = new Set(wordsIn(name));
  return more.length === 0 ? found : undefined;
}

/**
 * Which of a folder's data files is which split, by the words of their names: `train`, `dev|validation|valid|val|eval`,
 * `test`. Shards (`train-00000-of-00002.parquet`) belong together; of MNLI's two the matched set is taken. A lone data
 * file without such a word is the training set. Files of other kinds don't count, nor plain text beside tables.
 * @throws InputError listing the files: none can be told, or two claim the same split.
 */
export function findSplits(folder: string, files: readonly string[]): SplitFiles {
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

function withoutWords(folder: string, readable: readonly string[]): SplitFiles {
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
  const own = new Set(
    wordsIn(
      parts
        .at(-1)!
        .replace(/\.gz$/, "")
        .replace(/\.[^.]+$/, ""),
    ),
  );
  return own.size > 0 ? own : new Set(wordsIn(parts.slice(0, -1).join("/")));
}

const wordsIn = (text: string): readonly Split[] =>
  text
    .toLowerCase()
    .split(/[^a-z]+/)
    .flatMap((word) => words[word] ?? []);

const isMismatched = (file: string) => /mismatched/i.test(file);

/** One file, files whose names differ only in the number of the shard, or all files of a folder that is called like it. */
function areShards(files: readonly string[]): boolean {
  const shapes = new Set(files.map((file) => file.replace(/\d+(?=-of-\d+)/, "N").replace(/-[0-9a-f]{16}(?=\.)/, "")));
  const numbered = shapes.size === 1 && files.every((file) => /\d+-of-\d+/.test(file));
  return files.length === 1 || numbered || fillFolder(files);
}

/** Whether files lie in one folder whose name tells their split, all of one kind. */
function fillFolder(files: readonly string[]): boolean {
  const folders = new Set(files.map((file) => file.slice(0, Math.max(0, file.lastIndexOf("/")))));
  const [folder = ""] = folders;
  const silent = files.every((file) => wordsIn(file.slice(file.lastIndexOf("/") + 1)).length === 0);
  return folders.size === 1 && folder !== "" && silent && new Set(files.map(extensionOf)).size === 1;
}
