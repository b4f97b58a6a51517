import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { makeFolder } from "../disk/make-folder.ts";
import { explainFileError, MachineError, systemCode } from "../machine-error.ts";
import { bytesOfResponse, type HubAccess, hubFetch } from "./request.ts";

/** One file of a repository at a commit. */
export interface RemoteFile {
  readonly path: string;
  readonly url: string;
  readonly size: number;
  /** SHA-256 of the bytes for large files, git's SHA-1 for the others: also the blob's name. */
  readonly hash: string;
}

interface DownloadOptions {
  /** Bytes of the file that are here, those of an earlier try too. */
  readonly onBytes: (received: number) => void;
  /** Milliseconds before the first further try; they double from try to try. */
  readonly retryDelay: number;
}

const { O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = constants;
const [anew, appending] = [O_RDWR | O_CREAT | O_TRUNC, O_RDWR | O_CREAT | O_APPEND];
/** never through a link, where the system can say so */
const unlinked = constants.O_NOFOLLOW ?? 0;

const fruitlessTries = 5;
const damagedTries = 2;

/**
 * Downloads a file to `blob` through `<blob>.incomplete`. What an earlier process had received is kept and the rest is
 * asked for by range. Nothing gets the blob's name before size and hash agree. A broken line is tried again, up to
 * five times without a new byte between; bytes of another hash are thrown away and asked for once more.
 */
export async function downloadBlob(
  file: RemoteFile,
  blob: string,
  access: HubAccess,
  { onBytes, retryDelay }: DownloadOptions,
): Promise<void> {
  const incomplete = `${blob}.incomplete`;
  await writing(incomplete, () => makeFolder(dirname(blob)));
  await refuseSize(file, dirname(blob), await lengthOf(incomplete));
  let [best, fruitless, damaged] = [0, 0, 0];
  for (;;) {
    const fault = await receive(file, incomplete, access, onBytes);
    if (!fault) break;
    const length = await lengthOf(incomplete);
    fruitless = length > best ? 1 : fruitless + 1;
    best = Math.max(best, length);
    if (!fault.passing) damaged++;
    if (fruitless === fruitlessTries || damaged === damagedTries) throw fault;
    await pause(retryDelay * 2 ** (fruitless - 1), undefined, access.signal ? { signal: access.signal } : {});
  }
  await writing(blob, () => rename(incomplete, blob));
}

/** What is announced has to fit beside what is there already. */
async function refuseSize({ path, size }: RemoteFile, folder: string, here: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Number.POSITIVE_INFINITY, bsize: 1 }));
  const [needed, free] = [size - here, bavail * bsize];
  if (needed <= free) return;
  throw new MachineError(
    `"${path}" needs ${needed} more bytes, and "${folder}" has ${free} free; make room, or set HF_HOME to another disk`,
  );
}

/** One try; what went wrong with it, where another may do. Bytes that can't belong to the file are thrown away. */
async function receive(
  file: RemoteFile,
  incomplete: string,
  access: HubAccess,
  onBytes: (received: number) => void,
): Promise<MachineError | undefined> {
  try {
    const digest = await receiveRest(file, incomplete, access, onBytes);
    if (digest === file.hash) return undefined;
  } catch (error) {
    if (error instanceof MachineError && error.passing) return error;
    throw error;
  }
  await rm(incomplete, { force: true });
  return new MachineError(
    `"${file.path}" of "${access.repo}" came with other bytes than ${access.endpoint} had announced; try again later`,
  );
}

/** The digest of the whole file after the missing bytes were appended; `undefined` where too many came. */
async function receiveRest(
  file: RemoteFile,
  incomplete: string,
  access: HubAccess,
  onBytes: (received: number) => void,
): Promise<string | undefined> {
  const here = await lengthOf(incomplete);
  const usable = here <= file.size ? here : 0;
  const response = usable < file.size ? await hubFetch(access)(file.url, { headers: rangeFrom(usable) }) : undefined;
  const start = !response || response.status === 206 ? usable : 0;
  const handle = await writing(incomplete, () => open(incomplete, (start > 0 ? appending : anew) | unlinked));
  try {
    const hash = await writing(incomplete, () => startedHash(file, handle, start));
    onBytes(start);
    const fits =
      !response ||
      (await append({ handle, hash, file, start, onBytes }, incomplete, bytesOfResponse(response, access)));
    await writing(incomplete, () => handle.sync());
    return fits ? hash.digest("hex") : undefined;
  } finally {
    await handle.close();
  }
}

interface Progress {
  readonly handle: FileHandle;
  readonly hash: Hash;
  readonly file: RemoteFile;
  readonly start: number;
  readonly onBytes: (received: number) => void;
}

/** False where more bytes come than the file has. A line that ends too early is a passing MachineError. */
async function append(to: Progress, incomplete: string, bytes: AsyncIterable<Uint8Array>): Promise<boolean> {
  let length = to.start;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > to.file.size) return false;
    to.hash.update(chunk);
    await writing(incomplete, () => to.handle.writeFile(chunk));
    to.onBytes(length);
  }
  if (length < to.file.size) {
    throw new MachineError(`"${to.file.path}" ended at byte ${length} of ${to.file.size}; try again later`, {
      passing: true,
    });
  }
  return true;
}

/** Compressed bytes have no ranges, so none are asked for. */
function rangeFrom(start: number): Record<string, string> {
  return { "accept-encoding": "identity", ...(start > 0 ? { range: `bytes=${start}-` } : {}) };
}

/** The hash after the file's first `length` bytes; git puts `blob <size>\0` before them. */
async function startedHash(file: RemoteFile, handle: FileHandle, length: number): Promise<Hash> {
  const hash = createHash(file.hash.length === 64 ? "sha256" : "sha1");
  if (file.hash.length === 40) hash.update(`blob ${file.size}\0`);
  if (length > 0) {
    const before = handle.createReadStream({ start: 0, end: length - 1, autoClose: false });
    for await (const chunk of before) hash.update(chunk);
  }
  return hash;
}

async function lengthOf(path: string): Promise<number> {
  try {
    const found = await lstat(path);
    if (found.isFile()) return found.size;
    await rm(path, { force: true }); // a link that somebody laid there leads elsewhere
    return 0;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return 0;
    throw explainFileError(error, "read", path);
  }
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainFileError(error, "write", path);
  }
}
