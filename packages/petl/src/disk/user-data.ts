import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { explainFileError } from "../machine-error.ts";

/** Where a user's programs keep what is not to be lost, by the habit of the system. */
export function userDataFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (environment.XDG_DATA_HOME) return join(environment.XDG_DATA_HOME, "petl");
  switch (platform) {
    case "darwin":
      return join(homedir(), "Library", "Application Support", "petl");
    case "win32":
      return join(environment.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "petl");
    default:
      return join(homedir(), ".local", "share", "petl");
  }
}

/** The names of the folders in a folder, without hidden ones, sorted. */
export async function foldersIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw explainFileError(error, "read", path);
  });
  const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  return folders
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("."))
    .sort();
}
