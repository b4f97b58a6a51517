import { InputError } from "@petl/core";

/** A model on the hub: `owner/name` at a branch, tag or commit. */
export interface HubId {
  readonly repo: string;
  readonly revision: string;
}

/**
 * Reads `owner/name` or `owner/name@revision`; the revision is `main` where it is left out. The grammar is the hub's
 * own for new repositories (letters, digits, `-`, `_`, `.`; neither `--` nor `..`; no `-` or `.` at an end; at most 96
 * characters), so that an id is always two plain path segments and can't be confused with another in the cache, which
 * joins them with `--`. Throws an InputError for anything else.
 */
export function parseHubId(text: string): HubId {
  const at = text.indexOf("@");
  const repo = at < 0 ? text : text.slice(0, at);
  const revision = at < 0 ? "main" : text.slice(at + 1);
  const parts = repo.split("/");
  if (parts.length !== 2 || !parts.every(isRepoPart) || repo.length > 96 || repo.endsWith(".git")) {
    throw new InputError(
      `${JSON.stringify(text)} is neither a folder nor a hub id; a hub id is owner/name or owner/name@revision`,
    );
  }
  if (!isRevision(revision)) {
    throw new InputError(
      `${JSON.stringify(revision)} in ${JSON.stringify(text)} is no revision; allowed are a branch, a tag or a commit`,
    );
  }
  return { repo, revision };
}

/** Whether this is a full commit, which never changes its meaning. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

function isRepoPart(part: string): boolean {
  return /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(part) && !/--|\.\./.test(part);
}

/** One to several path segments, as in `refs/pr/1`, none of them hidden or leading upwards. */
function isRevision(revision: string): boolean {
  const segment = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;
  const segments = revision.split("/");
  return revision.length <= 200 && segments.every((part) => segment.test(part) && !/\.\.|\.$|\.lock$/.test(part));
}
