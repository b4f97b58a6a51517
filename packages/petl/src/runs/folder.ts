import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@petl/core";
import { type FolderLock, lockFolder, lockName, refuseBusy } from "../disk/folder-lock.ts";
import { makeFolder } from "../disk/make-folder.ts";
import { snapshotsName } from "../disk/snapshots.ts";
import { explainFileError, systemCode } from "../machine-error.ts";

/** What a run that was killed before it wrote its record leaves behind: its lock, and files under temporary names. */
const isLeftover = (name: string) => name === lockName || /^\..*\.(tmp|old)$/.test(name);

/** Whether a folder holds a finished run, an unfinished one, anything else, or nothing. */
export async function folderState(out: string): Promise<"empty" | "finished" | "unfinished" | "other"> {
  const names = (await namesOf(out)).filter((name) => !isLeftover(name));
  if (names.length === 0) return "empty";
  if (!names.includes("run.json")) return "other";
  return names.includes("adapter_config.json") || names.includes("config.json") ? "finished" : "unfinished";
}

const namesOf = (out: string): Promise<readonly string[]> =>
  readdir(out).catch((error: unknown): string[] => {
    if (systemCode(error) === "ENOENT") return [];
    throw explainFileError(error, "write", out);
  });

/**
 * Throws unless a new run may write into a folder; `verb` is the command that would go on with one. What another process
 * is writing is not even overwritten.
 */
export async function refuseTaken(out: string, verb: "train" | "pretrain", overwrite: boolean): Promise<void> {
  await refuseBusy(out);
  if (overwrite) return;
  switch (await folderState(out)) {
    case "empty":
      return;
    case "finished":
      throw new InputError(`--out ${out} holds a finished run; name another folder, or replace it with --overwrite`);
    case "unfinished":
      throw new InputError(
        `--out ${out} holds an unfinished run; go on with \`petl ${verb} --resume ${out}\`, or replace it with --overwrite`,
      );
    case "other":
      throw new InputError(
        `--out ${out} holds files that are not of a run; name another folder, or replace it with --overwrite`,
      );
  }
}

/**
 * Throws where a folder that `resume` names holds a finished run. One that was killed after its last file, before it had
 * let go of the folder, is tidied first.
 */
export async function refuseFinished(out: string, resume: string): Promise<void> {
  if ((await folderState(out)) !== "finished") return;
  const isUntidy = (name: string) => name === snapshotsName || isLeftover(name);
  if ((await namesOf(out)).some(isUntidy)) {
    const lock = await claim(out);
    await removeAll(out, isUntidy).finally(() => lock.release());
  }
  throw new InputError(`--resume ${resume}: this run is finished`);
}

/** A folder of that name that this process alone writes, and that is empty; what was there is gone. */
export async function claimEmpty(out: string): Promise<FolderLock> {
  const lock = await claim(out);
  try {
    // the record goes first, so that what is left of a run is never taken for one
    await removeAll(out, (name) => name === "run.json");
    await removeAll(out, () => true);
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Removes what a name says from a folder that this process holds, but its lock. */
async function removeAll(out: string, isGone: (name: string) => boolean): Promise<void> {
  for (const name of await namesOf(out))
    if (name !== lockName && isGone(name))
      await rm(join(out, name), { recursive: true, force: true }).catch((error: unknown) => {
        throw explainFileError(error, "write", out);
      });
}

/** Takes a run's folder for this process alone. */
export async function claim(out: string): Promise<FolderLock> {
  await makeFolder(out).catch((error: unknown) => {
    throw explainFileError(error, "write", join(out));
  });
  return lockFolder(out);
}
