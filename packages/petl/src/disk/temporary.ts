import { randomBytes } from "node:crypto";
import { lstat, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemCode } from "../machine-error.ts";

/** `tmp`: being written or removed. `old`: set aside while the new one takes its place. */
type Purpose = "tmp" | "old";

/** A hidden sibling of `target` that names its writer: `.<name>.<pid>-<random>.<purpose>`. */
export function temporarySibling(target: string, purpose: Purpose = "tmp"): string {
  const name = `.${basename(target)}.${process.pid}-${randomBytes(6).toString("hex")}.${purpose}`;
  return join(dirname(target), name);
}

/**
 * Mends what a writer of `target` that died (on this machine) left behind: what it had set aside comes back when
 * nothing stands in its place, every other leftover is removed.
 */
export async function mendLeftovers(target: string): Promise<void> {
  const parent = dirname(target);
  for (const leftover of await leftovers(target)) {
    const path = join(parent, leftover.name);
    if (!(await writerIsDead(path, leftover.pid))) continue;
    if (leftover.purpose === "old" && !(await exists(target))) await rename(path, target);
    else await discard(path);
  }
}

/** Removes a leftover; one that can't be removed now hinders nobody, and the next write tries again. */
export async function discard(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

/** Whether anything, a link to nothing too, has this path. */
export async function exists(path: string): Promise<boolean> {
  return (await modified(path)) !== undefined;
}

async function leftovers(target: string): Promise<{ name: string; pid: number; purpose: Purpose }[]> {
  const prefix = `.${basename(target)}.`;
  const found: { name: string; pid: number; purpose: Purpose }[] = [];
  for (const name of await names(dirname(target))) {
    const match = name.startsWith(prefix)
      ? /^(\d{1,10})-[0-9a-f]{12}\.(tmp|old)$/.exec(name.slice(prefix.length))
      : null;
    if (match) found.push({ name, pid: Number(match[1]), purpose: match[2] === "old" ? "old" : "tmp" });
  }
  return found;
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Process ids come again (in a container always the same), so our own id is another's when the leftover is older. */
export async function writerIsDead(path: string, pid: number): Promise<boolean> {
  if (pid !== process.pid) return !isAlive(pid);
  const time = await modified(path);
  const started = Date.now() - process.uptime() * 1000;
  return time !== undefined && time < started - 1000;
}

/** Whether a process with this id runs on this machine. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === "EPERM"; // alive, and another user's
  }
}

async function modified(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).mtimeMs;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
