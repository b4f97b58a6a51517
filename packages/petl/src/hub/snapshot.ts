import { readFile } from "node:fs/promises";
import { getHFHubCachePath } from "@huggingface/hub";
import { InputError } from "@petl/core";
import { MachineError } from "../machine-error.ts";
import { filesIn, lackingIn, type RepoCache, repoCache } from "./cache.ts";
import { fetchFiles, type HubEvent } from "./fetch-files.ts";
import { type HubId, isCommit } from "./hub-id.ts";
import { commitAtHub, filesAtHub } from "./listing.ts";
import { filesToFetch, hasTokenizer, isSharded, lackingFiles, shardIndex, shardsOf } from "./model-files.ts";
import type { HubAccess } from "./request.ts";

export interface SnapshotOptions {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly cacheDir: string | undefined;
  /** Whether the weights are needed; a look at the configuration needs none. */
  readonly weights: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (event: HubEvent) => void;
  readonly timeout: number;
  readonly retryDelay: number;
}

/** The folder of a snapshot that the cache holds already; the network isn't touched. */
export async function cachedSnapshot(id: HubId, options: SnapshotOptions): Promise<string> {
  const cacheDir = options.cacheDir ?? getHFHubCachePath();
  const cache = repoCache(cacheDir, id.repo);
  const commit = await cache.commitOf(id.revision);
  const called = `"${id.repo}" at revision "${id.revision}"`;
  const remedy = "run once without `offline` (or HF_HUB_OFFLINE), or give a folder";
  if (!commit) throw new InputError(`${called} isn't in the cache "${cacheDir}"; ${remedy}`);
  const lacking = await lackingIn(cache.snapshot(commit), options.weights);
  if (lacking.length > 0) {
    throw new InputError(
      `${called} is only partly in the cache "${cacheDir}", without ${lacking.join(", ")}; ${remedy}`,
    );
  }
  return cache.snapshot(commit);
}

/**
 * The folder of a snapshot after everything that is missing was downloaded. The revision's ref is written last, so
 * that an offline run finds whole snapshots alone.
 */
export async function downloadedSnapshot(id: HubId, options: SnapshotOptions): Promise<string> {
  const cache = repoCache(options.cacheDir ?? getHFHubCachePath(), id.repo);
  if (isCommit(id.revision) && (await isWhole(cache.snapshot(id.revision), options.weights))) {
    return cache.snapshot(id.revision);
  }
  const access: HubAccess = { ...id, ...options, kind: "model" };
  try {
    const commit = await commitAtHub(access);
    await fetchMissing(access, cache, commit, options);
    await cache.remember(id.revision, commit);
    return cache.snapshot(commit);
  } catch (error) {
    if (!(error instanceof MachineError && error.passing)) throw error;
    const commit = await cache.commitOf(id.revision);
    if (!commit || (await lackingIn(cache.snapshot(commit), options.weights)).length > 0) throw error;
    options.onProgress({ type: "cached", reason: error.message });
    return cache.snapshot(commit);
  }
}

/** A tokenizer is no duty, so without one only the hub knows whether a snapshot is whole. */
async function isWhole(snapshot: string, weights: boolean): Promise<boolean> {
  return (await lackingIn(snapshot, weights)).length === 0 && hasTokenizer(await filesIn(snapshot));
}

async function fetchMissing(
  access: HubAccess,
  cache: RepoCache,
  commit: string,
  options: SnapshotOptions,
): Promise<void> {
  const remote = await filesAtHub(access, commit);
  const names = new Set(remote.keys());
  requireModel(access.repo, names, options.weights);
  const snapshot = cache.snapshot(commit);
  const chosen = filesToFetch(names, options.weights);
  if (options.weights && isSharded(names)) {
    await fetchFiles(access, cache, snapshot, [remote.get(shardIndex)!], options);
    const place = `${access.repo}/${shardIndex}`;
    chosen.push(...shardsOf(await readFile(`${snapshot}/${shardIndex}`, "utf8"), place));
    const absent = chosen.filter((name) => !names.has(name));
    if (absent.length > 0) throw new InputError(`${place}: names ${absent.join(", ")}, which the repository lacks`);
  }
  const files = chosen.flatMap((name) => remote.get(name) ?? []);
  await fetchFiles(access, cache, snapshot, files, options);
}

function requireModel(repo: string, names: ReadonlySet<string>, weights: boolean): void {
  const lacking = lackingFiles(names, weights);
  if (lacking.length === 0) return;
  const pickles = [...names].filter((name) => /\.(bin|pt|pth|ckpt|h5|msgpack)$/.test(name));
  const why =
    pickles.length > 0 ? `; ${pickles.join(", ")} can run code or is another framework's, and isn't read` : "";
  throw new InputError(`"${repo}" on the hub has no ${lacking.join(", ")}${why}`);
}
