import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { systemCode } from "../machine-error.ts";

/**
 * Makes a folder and those above it that are missing; one that is there already is fine. Node's own recursive mkdir
 * never returns where a parent exists but takes no folder and says ENOENT, as /proc does.
 */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  if (await made(folder)) return;
  await makeFolder(dirname(folder));
  await mkdir(folder).catch((error: unknown) => {
    if (systemCode(error) !== "EEXIST") throw error;
  });
}

/** Whether the folder is there now; false where one above it is missing. */
async function made(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return true;
    if (systemCode(error) === "ENOENT" && dirname(folder) !== folder) return false;
    throw error;
  }
}
