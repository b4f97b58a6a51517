import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { InputError, parsedJson } from "@petl/core";
import { z } from "zod";
import { explainFileError, MachineError, systemCode } from "../machine-error.ts";
import { isAlive, temporarySibling } from "./temporary.ts";

/** Stands in a folder while a process writes it. */
export const lockName = ".petl-lock.json";

const holderOf = z.looseObject({ pid: z.int(), host: z.string(), begun: z.string(), mark: z.string() });
type Holder = z.infer<typeof holderOf>;

/** A folder that this process alone writes. */
export interface FolderLock {
  /**
   * To be called before every write: a process that was stopped, and whose folder another one has taken meanwhile,
   * changes nothing when it wakes up.
   * @throws MachineError where the folder is no longer this process's
   */
  check(): void;
  release(): Promise<void>;
}

/**
 * Takes a folder for this process. A lock names its process, by its number and the moment it began, since numbers are
 * given again; one whose process is dead counts for nothing. Of other machines' processes nothing is known: they count
 * as alive.
 *
 * @throws InputError where another process writes the folder
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, lockName);
  const mark = randomBytes(8).toString("hex");
  const holder: Holder = { pid: process.pid, host: hostname(), begun: begunAt(process.pid) ?? "", mark };
  for (;;) {
    if (await created(path, `${JSON.stringify(holder)}\n`)) return held(folder, path, mark);
    const text = await textOf(path);
    if (text === undefined) continue; // it has just been released
    refuseAlive(folder, text);
    await takeAway(path, text);
  }
}

/** @throws InputError where another process writes the folder */
export async function refuseBusy(folder: string): Promise<void> {
  const text = await textOf(join(folder, lockName));
  if (text !== undefined) refuseAlive(folder, text);
}

function refuseAlive(folder: string, text: string): void {
  const { data: other } = holderOf.safeParse(parsedJson(text));
  if (!other || !isHeld(other)) return;
  const where = other.host === hostname() ? "" : ` on ${other.host}`;
  throw new InputError(
    `${folder} is being written by another process (${other.pid}${where}); wait for it or end it, or name another folder`,
  );
}

function isHeld({ pid, host, begun }: Holder): boolean {
  if (host !== hostname()) return true;
  return isAlive(pid) && (begun === "" || begun === (begunAt(pid) ?? begun));
}

/** When a process began, in the system's own count; undefined where the system does not tell. */
function begunAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]; // the name before it may hold anything
  } catch {
    return undefined;
  }
}

async function created(path: string, text: string): Promise<boolean> {
  const temporary = temporarySibling(path);
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await link(temporary, path); // whole or not there
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw explainFileError(error, "write", path);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw explainFileError(error, "read", path);
  });
}

/** Takes a dead process's lock away; one that a living process made in the meantime is put back. */
async function takeAway(path: string, dead: string): Promise<void> {
  const aside = temporarySibling(path);
  try {
    await rename(path, aside);
    if ((await textOf(aside)) !== dead) await link(aside, path);
    await rm(aside, { force: true });
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "EEXIST") throw explainFileError(error, "write", path);
  }
}

function held(folder: string, path: string, mark: string): FolderLock {
  const isOurs = () => {
    try {
      return holderOf.safeParse(parsedJson(readFileSync(path, "utf8"))).data?.mark === mark;
    } catch {
      return false;
    }
  };
  return {
    check() {
      if (!isOurs())
        throw new MachineError(`${folder} was taken by another process meanwhile; nothing more is written`);
    },
    async release() {
      if (isOurs()) await rm(path, { force: true });
    },
  };
}
