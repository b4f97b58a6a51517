import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { makeFolder } from "../disk/make-folder.ts";
import { isAlive, temporarySibling } from "../disk/temporary.ts";
import { explainFileError, systemCode } from "../machine-error.ts";

interface LockOptions {
  /** Called once where another process holds the lock. */
  readonly onWait?: () => void;
  readonly signal?: AbortSignal | undefined;
}

const beat = 5_000; // milliseconds between two signs of life
const silence = 12 * beat; // after which a holder counts as dead

/**
 * Does `work` while no other process that asks for the same lock file does. A holder that died is noticed by its
 * process id on this machine, and by its missing signs of life on others.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const mark = `${process.pid} ${hostname()} ${randomBytes(8).toString("hex")}`;
  await acquire(path, mark, options);
  const heart = setInterval(() => {
    utimes(path, new Date(), new Date()).catch(() => undefined); // a lock that was taken from us can't be kept alive
  }, beat);
  heart.unref();
  try {
    return await work();
  } finally {
    clearInterval(heart);
    if ((await holder(path)) === mark) await rm(path, { force: true });
  }
}

async function acquire(path: string, mark: string, { onWait, signal }: LockOptions): Promise<void> {
  for (let waited = false; ; ) {
    signal?.throwIfAborted();
    if (await created(path, mark)) return;
    const other = await holder(path);
    if (other !== undefined && (await isDead(path, other))) {
      await takeAway(path, other);
      continue;
    }
    if (!waited) onWait?.();
    waited = true;
    await pause(100, undefined, signal ? { signal } : {});
  }
}

async function created(path: string, mark: string): Promise<boolean> {
  try {
    await makeFolder(dirname(path));
    await writeFile(path, mark, { flag: "wx" });
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw explainFileError(error, "write", path);
  }
}

async function holder(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw explainFileError(error, "read", path);
  }
}

async function isDead(path: string, mark: string): Promise<boolean> {
  const [pid, host] = mark.split(" ");
  if (host === hostname() && !isAlive(Number(pid))) return true;
  try {
    return Date.now() - (await stat(path)).mtimeMs > silence;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw explainFileError(error, "read", path);
  }
}

/** Takes a dead holder's lock away; one that a living process made in the meantime is put back. */
async function takeAway(path: string, dead: string): Promise<void> {
  const aside = temporarySibling(path);
  try {
    await rename(path, aside);
    if ((await holder(aside)) !== dead) await link(aside, path);
    await rm(aside, { force: true });
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "EEXIST") throw explainFileError(error, "write", path);
  }
}
