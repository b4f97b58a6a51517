import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { explainFileError, systemCode } from "../machine-error.ts";

/** Where the bases that come with petl lie: `models/` beside `packages/`. */
export const bundledFolder = fileURLToPath(new URL("../../../../models", import.meta.url));

/** The names of the bundled bases: the folders there that hold a config.json. */
export async function bundledBases(): Promise<readonly string[]> {
  const entries = await readdir(bundledFolder, { withFileTypes: true }).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw explainFileError(error, "read", bundledFolder);
  });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const files = await Promise.all(folders.map(async (name) => readdir(join(bundledFolder, name))));
  return folders.filter((_, i) => files[i]?.includes("config.json")).sort();
}
