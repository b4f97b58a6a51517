import { InputError, suggestion } from "../../errors.ts";
import { matchesGlob } from "./globs.ts";
import { extensionOf, tableExtensions } from "./readers.ts";
import { findSplits, type SplitFiles, splitNamed } from "./splits.ts";

/** One configuration of a data set, as the card of its folder describes it. */
export interface DataConfig {
  readonly name: string;
  /** whether it is the one that is meant where none is named */
  readonly isDefault: boolean;
  /** patterns of the paths of each split's files, by the split's own name */
  readonly splits: ReadonlyMap<string, readonly string[]>;
}

/** What is wanted of a data set. */
export interface WantedData {
  readonly config?: string | undefined;
  /** one split, by the data set's own name for it */
  readonly split?: string | undefined;
}

/** The files of a data set: those of the usual splits, or of the one that was named. */
export type DataFiles =
  | { readonly kind: "splits"; readonly splits: SplitFiles }
  | { readonly kind: "one"; readonly files: readonly string[] };

/**
 * Which of a data set's files belong to which split: what its card says, else what the words of names and folders say. A
 * configuration without a card is a folder. Files at the top win over those in `data/`, and these over all further below.
 * @param name of the data set, for messages
 * @param files their paths below its folder, with `/`
 * @throws InputError listing what there is: no such configuration or split, none named where there are several
 */
export function chooseDataFiles(
  name: string,
  files: readonly string[],
  configs: readonly DataConfig[],
  { config, split }: WantedData,
): DataFiles {
  const readable = files.filter((file) => tableExtensions.includes(extensionOf(file))).sort();
  if (configs.length > 0) return fromCard(name, readable, chosenConfig(name, configs, config), split);
  const within = config === undefined ? topmost(name, readable) : inFolder(name, readable, config);
  if (split === undefined) return { kind: "splits", splits: findSplits(name, within) };
  const named = within.filter((file) =>
    file
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .includes(split.toLowerCase()),
  );
  if (named.length > 0) return { kind: "one", files: named };
  throw new InputError(`${name} has no split "${split}"; its files: ${some(within)}`);
}

function chosenConfig(name: string, configs: readonly DataConfig[], asked: string | undefined): DataConfig {
  const names = configs.map((each) => each.name);
  const found =
    asked === undefined
      ? (configs.find(({ isDefault }) => isDefault) ?? configs.find((each) => each.name === "default") ?? only(configs))
      : configs.find((each) => each.name === asked);
  if (found) return found;
  if (asked === undefined)
    throw new InputError(`${name} has the configurations ${some(names)}; choose one, as in ${name}:${names[0]}`);
  throw new InputError(
    `${name} has no configuration "${asked}"${suggestion(asked, names)}; its configurations: ${some(names)}`,
  );
}

const only = <T>(items: readonly T[]): T | undefined => (items.length === 1 ? items[0] : undefined);

function fromCard(
  name: string,
  files: readonly string[],
  { splits, name: config }: DataConfig,
  asked: string | undefined,
): DataFiles {
  const matching = (patterns: readonly string[]) =>
    files.filter((file) => patterns.some((pattern) => matchesGlob(pattern, file)));
  if (asked !== undefined) {
    const patterns = splits.get(asked);
    const names = [...splits.keys()];
    if (!patterns)
      throw new InputError(
        `${name}:${config} has no split "${asked}"${suggestion(asked, names)}; its splits: ${some(names)}`,
      );
    const found = matching(patterns);
    if (found.length > 0) return { kind: "one", files: found };
    throw new InputError(`${name}:${config} has no file for its split "${asked}" (${patterns.join(", ")})`);
  }
  const known = new Map<keyof SplitFiles, readonly string[]>();
  for (const [split, patterns] of splits) {
    const usual = splitNamed(split) ?? (splits.size === 1 ? "train" : undefined);
    const found = matching(patterns);
    if (usual && found.length > 0 && !known.has(usual)) known.set(usual, found);
  }
  if (known.size > 0) return { kind: "splits", splits: Object.fromEntries(known) };
  throw new InputError(
    `${name}:${config} has no files of a train, validation or test split; its splits: ${some([...splits.keys()])}, as in ${name}:${config}:${[...splits.keys()][0]}`,
  );
}

/** The files at the top, else those in `data/`, else all, unless these are several configurations. */
function topmost(name: string, files: readonly string[]): readonly string[] {
  const tables = files.filter((file) => !(extensionOf(file) === "txt" && file.includes("/")));
  const top = tables.filter((file) => !file.includes("/"));
  if (top.length > 0) return top;
  const data = tables.filter((file) => file.startsWith("data/"));
  if (data.length > 0) return data;
  const folders = [...new Set(tables.flatMap((file) => folderOf(file)))];
  if (folders.includes("default")) return tables.filter((file) => file.startsWith("default/"));
  if (folders.length > 1 && !folders.some(splitNamed))
    throw new InputError(`${name} has the configurations ${some(folders)}; choose one, as in ${name}:${folders[0]}`);
  return tables.length > 0 ? tables : files;
}

/** The first folder of a path. */
const folderOf = (file: string): readonly string[] => (file.includes("/") ? file.split("/").slice(0, 1) : []);

function inFolder(name: string, files: readonly string[], config: string): readonly string[] {
  const within = files.filter((file) => file.startsWith(`${config}/`) || file.startsWith(`data/${config}/`));
  if (within.length > 0) return within;
  const folders = [...new Set(files.flatMap((file) => folderOf(file.replace(/^data\//, ""))))];
  const has = folders.length > 0 ? `its folders: ${some(folders)}` : "it has no folders of data files";
  throw new InputError(`${name} has no configuration "${config}"${suggestion(config, folders)}; ${has}`);
}

const some = (names: readonly string[]) =>
  names.slice(0, 20).join(", ") + (names.length > 20 ? `, … (${names.length})` : "");
