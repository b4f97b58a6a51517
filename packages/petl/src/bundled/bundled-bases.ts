import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { explainFileError, systemCode } from "../machine-error.ts";

/** Where the bases that come with petl lie: a package of their own, `models/` in the repository. */
export const bundledFolder = dirname(createRequire(import.meta.url).resolve("@petl/bases/package.json"));

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
