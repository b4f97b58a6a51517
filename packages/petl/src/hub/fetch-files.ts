import { join } from "node:path";
import { isFile, link, type RepoCache } from "./cache.ts";
import { downloadBlob, type RemoteFile } from "./download.ts";
import { withLock } from "./lock.ts";
import type { HubAccess } from "./request.ts";

export type HubEvent =
  /** Another process downloads the same repository. */
  | { readonly type: "waiting" }
  /** Bytes of one file, and of all files of this download as far as they are known. */
  | {
      readonly type: "download";
      readonly file: string;
      readonly received: number;
      readonly size: number;
      readonly receivedOfAll: number;
      readonly sizeOfAll: number;
    }
  /** The hub can't be reached, and what the cache holds is used. */
  | { readonly type: "cached"; readonly reason: string };

interface FetchOptions {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (event: HubEvent) => void;
  readonly retryDelay: number;
}

/** Brings the files that a snapshot lacks, one process at a time. */
export async function fetchFiles(
  access: HubAccess,
  cache: RepoCache,
  snapshot: string,
  files: readonly RemoteFile[],
  options: FetchOptions,
): Promise<void> {
  const missing: RemoteFile[] = [];
  for (const file of files) if (!(await isFile(join(snapshot, file.path)))) missing.push(file);
  if (missing.length === 0) return;
  const sizeOfAll = missing.reduce((sum, file) => sum + file.size, 0);
  const lockOptions = { onWait: () => options.onProgress({ type: "waiting" }), signal: options.signal };
  const work = async () => {
    let before = 0;
    for (const file of missing) {
      const { path, size } = file;
      const onBytes = (received: number) =>
        options.onProgress({
          type: "download",
          file: path,
          received,
          size,
          receivedOfAll: before + received,
          sizeOfAll,
        });
      const blob = cache.blob(file.hash);
      if (!(await isFile(blob))) await downloadBlob(file, blob, access, { onBytes, retryDelay: options.retryDelay });
      await link(snapshot, path, blob);
      before += size;
    }
  };
  await withLock(cache.lock, work, lockOptions);
}
