import { unzipped } from "./gzip.ts";
import type { ReadOptions } from "./read-options.ts";
import { extensionOf, tableExtensions } from "./readers.ts";
import { type SplitFiles, splitNamed } from "./splits.ts";
import type { Table } from "./table.ts";
import { decodeText } from "./text.ts";

/** A text of its own file, `pos/1.txt`, in a folder that is named as its class. */
export interface ClassFile {
  readonly path: string;
  readonly label: string;
}

/**
 * The texts below a folder that has a folder for each class and a text in each file; undefined where it is laid out
 * otherwise: tables, one folder only, folders named as splits, texts that lie deeper.
 * @param files paths below the folder, with `/`
 */
export function classFiles(files: readonly string[]): readonly ClassFile[] | undefined {
  const readable = files.filter((file) => tableExtensions.includes(extensionOf(file)) && file.includes("/"));
  const texts = readable.map((path): ClassFile => ({ path, label: path.slice(0, path.indexOf("/")) }));
  const labels = new Set(texts.map(({ label }) => label));
  const isText = ({ path }: ClassFile) => extensionOf(path) === "txt" && path.split("/").length === 2;
  return labels.size > 1 && texts.every(isText) && ![...labels].some(splitNamed) ? texts : undefined;
}

/**
 * The folder of each split whose folders are classes: `train/pos/1.txt`, or `pos/1.txt` for a training set alone, whose
 * folder is the given one, "". Undefined where the folder holds tables, or neither.
 */
export function classFolders(files: readonly string[]): SplitFiles | undefined {
  const tables = files.filter((file) => tableExtensions.includes(extensionOf(file)) && extensionOf(file) !== "txt");
  if (tables.length > 0) return undefined;
  if (classFiles(files)) return { train: [""] };
  const found = new Map<keyof SplitFiles, readonly string[]>();
  for (const folder of new Set(
    files.flatMap((file) => (file.includes("/") ? [file.slice(0, file.indexOf("/"))] : [])),
  )) {
    const split = splitNamed(folder);
    const within = files.flatMap((file) => (file.startsWith(`${folder}/`) ? [file.slice(folder.length + 1)] : []));
    if (split && classFiles(within)) found.set(split, [...(found.get(split) ?? []), folder]);
  }
  return found.size > 0 ? Object.fromEntries(found) : undefined;
}

/** The text of a whole file, without the blanks around it. @throws InputError naming the file whose bytes are no text */
export const wholeText = (name: string, bytes: Uint8Array, { encoding }: ReadOptions): string =>
  decodeText(name, /\.gz$/i.test(name) ? unzipped(name, bytes) : bytes, encoding).trim();

/** A table with a row of `text` and `label` for each file, in their order. */
export const classTable = (name: string, files: readonly (ClassFile & { readonly text: string })[]): Table => ({
  name,
  columns: ["text", "label"],
  rows: files.map(({ text, label }) => ({ text, label })),
  lineOf: () => 1,
  placeOf: (row) => `${name}/${files[row]?.path}`,
});
