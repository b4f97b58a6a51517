import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type DataConfig, InputError } from "@petl/core";
import { explainFileError, systemCode } from "../machine-error.ts";
import { configsIn } from "./data-card.ts";

/** The file at whose head a data set's configurations stand. */
export const cardName = "README.md";

/** The configurations that the card of a folder names. */
export async function configsBelow(folder: string): Promise<readonly DataConfig[]> {
  const path = join(folder, cardName);
  try {
    return configsIn(await readFile(path, "utf8"));
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "EISDIR") return [];
    throw explainFileError(error, "read", path);
  }
}

/** Folders below folders that hold data, and files in all. */
const deepest = 5;
const mostFiles = 100_000;

/** The paths of the files below a folder, with `/`, without hidden ones. */
export async function filesBelow(root: string): Promise<readonly string[]> {
  const files: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return [];
      throw explainFileError(error, "read", folder);
    });
    for (const entry of entries) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory() && depth < deepest) await walk(path, depth + 1);
      else if (!entry.isDirectory() && (await isRegular(path))) files.push(relative(root, path).split(sep).join("/"));
      if (files.length > mostFiles) throw new InputError(`"${root}" holds more than ${mostFiles} files; name one`);
    }
  };
  await walk(root, 0);
  return files.sort();
}

const isRegular = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false, // a link to nothing
  );
