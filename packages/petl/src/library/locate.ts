import { access } from "node:fs/promises";
import { join } from "node:path";
import { bundledBases, bundledFolder } from "../bundled/bundled-bases.ts";
import { type ResolveOptions, resolveBase } from "../hub/hub.ts";

export type LocateOptions = Pick<ResolveOptions, "offline" | "weights" | "signal" | "onProgress">;

/** The folder that a name stands for: a folder's own, a bundled base's, or that of a download from the hub. */
export async function locate(name: string, options: LocateOptions = {}): Promise<string> {
  if ((await bundledBases()).includes(name) && !(await isThere(name))) return join(bundledFolder, name);
  return resolveBase(name, options);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
