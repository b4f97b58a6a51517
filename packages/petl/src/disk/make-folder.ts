import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { systemCode } from "../machine-error.ts";
import { syncFolder } from "./sync-folder.ts";

/**
 * Makes a folder and those above it that are missing, each forced to the disk with what holds it; one that is there already
 * is fine. Node's own recursive mkdir
 * never returns where a parent exists but takes no folder and says ENOENT, as /proc does.
 */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  if (await made(folder)) return;
  await makeFolder(dirname(folder));
  if (!(await made(folder))) await mkdir(folder); // says what is in the way
}

/** Whether the folder is there now; false where one above it is missing. */
async function made(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    await syncFolder(dirname(folder));
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return true;
    if (systemCode(error) === "ENOENT" && dirname(folder) !== folder) return false;
    throw error;
  }
}
