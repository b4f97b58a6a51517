import { realpath, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { chooseDataFiles, classFolders, type DataFiles, InputError } from "@petl/core";
import { configsBelow, filesBelow } from "../hub/data-folder.ts";
import { type HubEvent, resolveDataSet } from "../hub/hub.ts";
import { explainFileError, MachineError } from "../machine-error.ts";
import { type DataName, parseDataName } from "./data-name.ts";
import type { ReadEvent } from "./read-data.ts";

type Split = "train" | "validation" | "test";

/** A data file, or a folder with a folder of texts for each class, and how often its rows count. */
export interface DataFile {
  readonly path: string;
  readonly weight: number;
}

/** The files of each split; nothing of them has been read yet. */
type FoundData = Readonly<Partial<Record<Split, readonly DataFile[]>>>;

/** How data sets on the hub are reached. */
export interface DataAccess {
  readonly offline?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: HubEvent | ReadEvent) => void) | undefined;
}

/**
 * Finds the files of one DATA or of several, those of each split one behind the other: of a folder or a data set on the hub
 * those of its splits, of a file and of a split that is named that one as `lone`. A weight counts for files to train on.
 * @throws InputError: nothing is there, or nothing that is data; what the hub refuses
 */
export async function findData(
  given: string | readonly string[],
  lone: Split,
  access: DataAccess = {},
): Promise<FoundData> {
  const found: FoundData[] = [];
  for (const one of typeof given === "string" ? [given] : given)
    found.push(await findOne(await parseDataName(one), lone, access));
  const joined = (split: Split) => found.flatMap((each) => each[split] ?? []);
  const splits = (["train", "validation", "test"] as const).map((split) => [split, joined(split)] as const);
  return Object.fromEntries(splits.filter(([, files]) => files.length > 0));
}

/** What is said of files that are given more than once: their rows count as often. */
export async function givenTwice(files: readonly DataFile[]): Promise<readonly string[]> {
  const counts = new Map<string, number>();
  for (const { path } of files) {
    const real = await realpath(path).catch(() => resolve(path));
    counts.set(real, (counts.get(real) ?? 0) + 1);
  }
  const often = [...counts].filter(([, count]) => count > 1);
  return often.map(([path, count]) => `${path} is given ${count} times, and its rows count as often`);
}

/** A name of DATA that means the same rows from everywhere and later on: a whole path, a hub data set at its commit. */
export async function settledData(given: string, access: DataAccess = {}): Promise<string> {
  const name = await parseDataName(given);
  const place = name.kind === "path" ? resolve(name.path) : `${name.id.repo}@${(await onHub(name, access)).commit}`;
  const behind = [name.config, name.split].flatMap((part) => (part === undefined ? [] : [`:${part}`])).join("");
  return `${place}${behind}${name.weight === 1 ? "" : `=${name.weight}`}`;
}

async function findOne(name: DataName, lone: Split, access: DataAccess): Promise<FoundData> {
  const { weight } = name;
  if (name.kind === "hub") {
    const { folder, files } = await onHub(name, access);
    return filesOf(folder, files, lone, weight);
  }
  const { path, config } = name;
  const info = await stat(path).catch((error: unknown) => {
    throw explainFileError(error, "read", path);
  });
  if (!info.isDirectory() && config !== undefined)
    throw new InputError(`"${path}" is a file, which has no configuration "${config}"`);
  if (!info.isDirectory()) return { [lone]: [{ path, weight }] };
  const [below, configs] = [await filesBelow(path), await configsBelow(path)];
  const classes = configs.length === 0 && config === undefined ? classFolders(below) : undefined;
  if (classes && name.split === undefined) return filesOf(path, { kind: "splits", splits: classes }, lone, weight);
  return filesOf(path, chooseDataFiles(basename(resolve(path)), below, configs, name), lone, weight);
}

/** A data set on the hub; where the hub is not reached, the name may have been meant for a path. */
async function onHub(name: DataName & { readonly kind: "hub" }, access: DataAccess) {
  try {
    return await resolveDataSet(name.id, name, access);
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    const told = `there is no data file or folder "${name.id.repo}"; taken for a data set on the hub: ${error.message}`;
    throw new MachineError(told, { passing: error.passing, cause: error });
  }
}

function filesOf(folder: string, found: DataFiles, lone: Split, weight: number): FoundData {
  const within = (paths: readonly string[], share = 1) =>
    paths.map((path) => ({ path: join(folder, path), weight: share }));
  if (found.kind === "one") return { [lone]: within(found.files, weight) };
  const { train, validation, test } = found.splits;
  return {
    ...(train && { train: within(train, weight) }),
    ...(validation && { validation: within(validation) }),
    ...(test && { test: within(test) }),
  };
}
