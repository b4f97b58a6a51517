import { readFile } from "node:fs/promises";
import {
  type HfModel,
  memoryFolder,
  type Plan,
  type PlanOptions,
  type PlanSource,
  planFor,
  readBase,
} from "@petl/core";
import { directory } from "../disk/files.ts";
import { explainFileError } from "../machine-error.ts";
import { version } from "../version.ts";
import { type LocateOptions, locate } from "./locate.ts";

/** What a plan is made for: a base, open or by its name; a config.json, its content or its path; or a shape alone. */
export type NamedPlanSource = PlanSource<HfModel | string, Readonly<Record<string, unknown>> | string>;

/**
 * What every method would train, write and take, as `petl plan --json` prints it: for each the largest setting that meets
 * the target, counts, bytes on the disk and while training. Only what a base's configuration and headers say is read.
 *
 * @throws InputError for arguments that are not possible, every problem at once
 */
export async function plan(source: NamedPlanSource, options: PlanOptions = {}): Promise<Plan> {
  return (await planFor(source, options, { version, read: (named) => baseNamed(named) })).plan;
}

/** The base that a name or the path of a config.json stands for; its weights' headers are read where they lie here. */
export async function baseNamed(
  named: { base: string } | { config: string },
  where: LocateOptions = {},
): Promise<HfModel> {
  if ("config" in named) {
    const text = await readFile(named.config, "utf8").catch((error: unknown) => {
      throw explainFileError(error, "read", named.config);
    });
    return readBase(memoryFolder(named.config, { "config.json": text }), { weights: false });
  }
  const folder = directory(await locate(named.base, { ...where, weights: false }));
  const weights = (await folder.files()).some((file) => /^model\.safetensors(\.index\.json)?$/.test(file));
  return { ...(await readBase(folder, { weights })), name: named.base };
}
