import { getHFHubCachePath } from "@huggingface/hub";
import { chooseDataFiles, type DataFiles, extensionOf, InputError, tableExtensions, type WantedData } from "@petl/core";
import { MachineError } from "../machine-error.ts";
import { type RepoCache, repoCache } from "./cache.ts";
import { cardName, configsBelow, filesBelow } from "./data-folder.ts";
import { fetchFiles } from "./fetch-files.ts";
import { type HubId, isCommit } from "./hub-id.ts";
import { commitAtHub, filesAtHub } from "./listing.ts";
import type { HubAccess } from "./request.ts";
import type { SnapshotOptions } from "./snapshot.ts";

/** A data set's files on this machine. */
export interface FoundDataSet {
  /** the snapshot's folder, below which the files lie */
  readonly folder: string;
  readonly commit: string;
  readonly files: DataFiles;
}

/** Where the hub keeps what it made of data sets that are none of the usual files: Parquet, a folder a configuration. */
const converted = "refs/convert/parquet";

/** A data set that the cache holds already; the network isn't touched. */
export async function cachedDataSet(id: HubId, wanted: WantedData, options: SnapshotOptions): Promise<FoundDataSet> {
  const cacheDir = options.cacheDir ?? getHFHubCachePath();
  const found = await inCache(repoCache(cacheDir, id.repo, "dataset"), id, wanted);
  if (found) return found;
  throw new InputError(
    `the data set "${id.repo}" at revision "${id.revision}" isn't in the cache "${cacheDir}"; run once without \`offline\` (or HF_HUB_OFFLINE), or give a file`,
  );
}

/** A data set after what is missing of it was downloaded: its card, and the files of the configuration that is wanted. */
export async function downloadedDataSet(
  id: HubId,
  wanted: WantedData,
  options: SnapshotOptions,
): Promise<FoundDataSet> {
  const cache = repoCache(options.cacheDir ?? getHFHubCachePath(), id.repo, "dataset");
  const pinned = isCommit(id.revision) ? await inCache(cache, id, wanted) : undefined;
  if (pinned) return pinned;
  try {
    return await fetched(cache, id, wanted, options);
  } catch (error) {
    if (!(error instanceof MachineError && error.passing)) throw error;
    const found = await inCache(cache, id, wanted);
    if (!found) throw error;
    options.onProgress({ type: "cached", reason: error.message });
    return found;
  }
}

async function fetched(
  cache: RepoCache,
  id: HubId,
  wanted: WantedData,
  options: SnapshotOptions,
): Promise<FoundDataSet> {
  const { access, commit, remote } = await listed({ ...id, ...options, kind: "dataset" });
  const folder = cache.snapshot(commit);
  const card = remote.get(cardName);
  if (card) await fetchFiles(access, cache, folder, [card], options);
  const files = chooseDataFiles(id.repo, [...remote.keys()], await configsBelow(folder), wanted);
  await fetchFiles(
    access,
    cache,
    folder,
    pathsOf(files).flatMap((path) => remote.get(path) ?? []),
    options,
  );
  await cache.remember(access.revision, commit);
  return { folder, commit, files };
}

/** The files of a revision; where the main one has none that is read, of what the hub made of them. */
async function listed(access: HubAccess) {
  const commit = await commitAtHub(access);
  const remote = await filesAtHub(access, commit);
  if ([...remote.keys()].some(isTable)) return { access, commit, remote };
  if (access.revision !== "main") throw noTables(access, remote);
  const made = { ...access, revision: converted };
  const other = await commitAtHub(made).catch((error: unknown) => {
    throw error instanceof InputError ? noTables(access, remote) : error;
  });
  return { access: made, commit: other, remote: await filesAtHub(made, other) };
}

/** What the cache holds of a revision, where it is whole as far as names tell. */
async function inCache(cache: RepoCache, id: HubId, wanted: WantedData): Promise<FoundDataSet | undefined> {
  const revisions = id.revision === "main" ? ["main", converted] : [id.revision];
  for (const revision of revisions) {
    const commit = await cache.commitOf(revision);
    if (commit === undefined) continue;
    const folder = cache.snapshot(commit);
    const names = await filesBelow(folder);
    if (!names.some(isTable)) continue;
    const files = chooseDataFiles(id.repo, names, await configsBelow(folder), wanted);
    const lacking = pathsOf(files).flatMap((path) => shardsBeside(path).filter((shard) => !names.includes(shard)));
    if (lacking.length === 0) return { folder, commit, files };
  }
  return undefined;
}

const isTable = (path: string) => tableExtensions.includes(extensionOf(path));

const pathsOf = (files: DataFiles): readonly string[] =>
  files.kind === "one" ? files.files : Object.values(files.splits).flat();

function noTables({ repo, revision }: HubId, remote: ReadonlyMap<string, unknown>): InputError {
  const names = [...remote.keys()];
  const has = names.length === 0 ? "it is empty" : `it holds ${names.slice(0, 10).join(", ")}`;
  return new InputError(
    `the data set "${repo}" at revision "${revision}" has no file that petl reads (${tableExtensions.map((ending) => `.${ending}`).join(", ")}); ${has}`,
  );
}

/** More shards no data set has. */
const mostShards = 100_000;

/** All shards of the file that this one is a shard of, as its name counts them; a file that is none has itself. */
function shardsBeside(path: string): readonly string[] {
  const [, before, number, of, behind] = /^(.*?)(\d{3,8})-of-(\d{3,8})(\D.*)$/.exec(path) ?? [];
  const count = Number(of);
  if (before === undefined || number === undefined || count > mostShards) return [path];
  return Array.from(
    { length: count },
    (_, at) => `${before}${String(at).padStart(number.length, "0")}-of-${of}${behind}`,
  );
}
