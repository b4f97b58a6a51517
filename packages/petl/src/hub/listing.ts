import { datasetInfo, listFiles, modelInfo } from "@huggingface/hub";
import { InputError } from "@petl/core";
import { z } from "zod";
import { MachineError } from "../machine-error.ts";
import type { RemoteFile } from "./download.ts";
import { isCommit } from "./hub-id.ts";
import { answerFetch, type HubAccess, repoUrl } from "./request.ts";

/** The commit that the revision stands for now. */
export async function commitAtHub(access: HubAccess): Promise<string> {
  const { endpoint, repo, revision } = access;
  const question = {
    name: repo,
    revision,
    additionalFields: ["sha" as const],
    hubUrl: endpoint,
    fetch: answerFetch(access),
  };
  const { sha } = await understood(access, () =>
    access.kind === "dataset" ? datasetInfo(question) : modelInfo(question),
  );
  if (typeof sha !== "string" || !isCommit(sha)) throw strange(access);
  return sha;
}

const hashShape = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const byteCount = z.int().nonnegative();
const entryShape = z.looseObject({
  type: z.string(),
  path: z.string(),
  size: byteCount,
  oid: hashShape.optional(),
  lfs: z.looseObject({ oid: hashShape, size: byteCount }).optional(),
});

/**
 * The files of a repository by path: of a model those at the top, of a data set all. Git can hold no name that leads out of
 * its folder, so a listing with one is forged and refused as a whole.
 */
export async function filesAtHub(access: HubAccess, commit: string): Promise<ReadonlyMap<string, RemoteFile>> {
  const { endpoint, repo, kind } = access;
  const files = new Map<string, RemoteFile>();
  const question = {
    repo: { type: kind, name: repo },
    recursive: kind === "dataset",
    revision: commit,
    hubUrl: endpoint,
    fetch: answerFetch(access),
  };
  await understood(access, async () => {
    for await (const item of listFiles(question)) {
      const entry = entryShape.safeParse(item);
      if (!entry.success) throw strange(access);
      const { type, path, oid, size, lfs } = entry.data;
      const parts = kind === "dataset" ? path.split("/") : [path];
      if (path.length > longestPath || parts.some((part) => /[/\\\p{Cc}]|^\.{0,2}$/u.test(part))) {
        throw new InputError(`the listing of "${repo}" holds the file name ${JSON.stringify(path)}; refused`);
      }
      const hash = lfs?.oid ?? oid;
      const url = `${repoUrl(access)}/resolve/${commit}/${parts.map(encodeURIComponent).join("/")}`;
      if (files.size >= mostFiles) throw new InputError(`"${repo}" lists more than ${mostFiles} files; refused`);
      if (type === "file" && hash) files.set(path, { path, url, size: lfs?.size ?? size, hash });
    }
  });
  return files;
}

/** More than any repository has. */
const mostFiles = 100_000;
/** Longer ones no disk takes. */
const longestPath = 1000;

/** Answers that aren't what the hub's are: a login page of a hotel, a proxy. */
async function understood<T>(access: HubAccess, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof SyntaxError || error instanceof TypeError ? strange(access) : error;
  }
}

function strange({ endpoint, repo }: HubAccess): MachineError {
  return new MachineError(`${endpoint} gave no answer of a hub to a question about "${repo}"; is a proxy between?`);
}
