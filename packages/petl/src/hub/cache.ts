import { copyFile, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { getRepoFolderName } from "@huggingface/hub";
import { namesIn } from "../disk/files.ts";
import { makeFolder } from "../disk/make-folder.ts";
import { writeFileSafely } from "../disk/safe-write.ts";
import { temporarySibling } from "../disk/temporary.ts";
import { explainFileError, systemCode } from "../machine-error.ts";
import { isCommit } from "./hub-id.ts";
import { isSharded, lackingFiles, shardIndex, shardsOf } from "./model-files.ts";
import type { RepoKind } from "./request.ts";

/**
 * One repository in the Python cache's layout: `models--owner--name/blobs/<hash>` (`datasets--…` for data sets) holds bytes, `refs/<revision>` a
 * commit, `snapshots/<commit>/<file>` links to blobs; locks lie in `.locks` beside the repositories.
 */
export interface RepoCache {
  readonly commitOf: (revision: string) => Promise<string | undefined>;
  readonly remember: (revision: string, commit: string) => Promise<void>;
  readonly snapshot: (commit: string) => string;
  readonly blob: (hash: string) => string;
  readonly lock: string;
}

export function repoCache(cacheDir: string, repo: string, kind: RepoKind = "model"): RepoCache {
  const name = getRepoFolderName({ type: kind, name: repo });
  const root = join(cacheDir, name);
  return {
    commitOf: (revision) => (isCommit(revision) ? Promise.resolve(revision) : readRef(join(root, "refs", revision))),
    async remember(revision, commit) {
      const path = join(root, "refs", revision);
      if (isCommit(revision) || (await readRef(path)) === commit) return;
      await writeFileSafely(path, [new TextEncoder().encode(commit)]);
    },
    snapshot: (commit) => join(root, "snapshots", commit),
    blob: (hash) => join(root, "blobs", hash),
    lock: join(cacheDir, ".locks", name, "petl.lock"),
  };
}

/** Names in a snapshot whose blobs are there. */
export async function filesIn(snapshot: string): Promise<ReadonlySet<string>> {
  const present = new Set<string>();
  for (const name of await namesIn(snapshot)) if (await isFile(join(snapshot, name))) present.add(name);
  return present;
}

/** What a snapshot lacks to be used as it is. */
export async function lackingIn(snapshot: string, weights: boolean): Promise<readonly string[]> {
  const present = await filesIn(snapshot);
  const lacking = lackingFiles(present, weights);
  if (lacking.length > 0 || !weights || !isSharded(present)) return lacking;
  const path = join(snapshot, shardIndex);
  return shardsOf(await readFile(path, "utf8"), path).filter((shard) => !present.has(shard));
}

/** Makes `snapshot/<file>` a relative link to the blob, or a copy where the system has no links. */
export async function link(snapshot: string, file: string, blob: string): Promise<void> {
  const path = join(snapshot, file);
  const temporary = temporarySibling(path);
  try {
    await makeFolder(dirname(path));
    await symlink(relative(dirname(path), blob), temporary).catch(async (error) => {
      if (systemCode(error) !== "EPERM") throw error;
      await copyFile(blob, temporary);
    });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainFileError(error, "write", path);
  }
}

export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return false;
    throw explainFileError(error, "read", path);
  }
}

async function readRef(path: string): Promise<string | undefined> {
  try {
    const commit = (await readFile(path, "utf8")).trim();
    return isCommit(commit) ? commit : undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw explainFileError(error, "read", path);
  }
}
