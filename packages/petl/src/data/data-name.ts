import { readdir, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { extensionOf, InputError, suggestion, tableExtensions, type WantedData } from "@petl/core";
import { type HubId, parseHubId } from "../hub/hub-id.ts";
import { explainFileError, systemCode } from "../machine-error.ts";

type Place = { readonly kind: "path"; readonly path: string } | { readonly kind: "hub"; readonly id: HubId };

/** Where rows are to be found, a path that is there or a data set on the hub, and how often each counts. */
export type DataName = Place & WantedData & { readonly weight: number };

/** In front of a hub id that a folder has the name of. */
const scheme = "hf://datasets/";

/**
 * Reads DATA: a path, or a hub data set's `owner/name[@revision]`; behind it `:configuration` and `:split`, and a weight as
 * in `reviews.csv=2`. What is there under the whole name is that, whatever it looks like.
 * @throws InputError: neither is there, or no hub id; a weight that is none
 */
export async function parseDataName(given: string): Promise<DataName> {
  if (await exists(given)) return { kind: "path", path: given, weight: 1 };
  const [, name = given, number = "1"] = /^(.+)=(\d+(?:\.\d+)?|\.\d+)$/.exec(given) ?? [];
  const weight = Number(number);
  const found = await withoutWeight(name);
  if (weight > 0 && weight <= 1000) return { ...found, weight };
  throw new InputError(`the weight of ${name} is ${number}; weights are above 0, up to 1000`);
}

async function withoutWeight(name: string): Promise<Place & WantedData> {
  if (await exists(name)) return { kind: "path", path: name };
  const bare = name.startsWith(scheme) ? name.slice(scheme.length) : name;
  const [, path = bare, config, split] = /^([^:]+):([^:/\\]+)(?::([^:/\\]+))?$/.exec(bare) ?? [];
  const wanted = { ...(config !== undefined && { config }), ...(split !== undefined && { split }) };
  if (bare === name && (await exists(path))) return { kind: "path", path, ...wanted };
  return { kind: "hub", id: await hubId(path, bare === name), ...wanted };
}

/** A name as a hub id, unless it looks like a path that is mistyped: it ends like a data file or begins with a folder. */
async function hubId(name: string, bare: boolean): Promise<HubId> {
  const isFile = tableExtensions.includes(extensionOf(name));
  const folder = dirname(name);
  const beside = isFile || (bare && folder !== ".") ? await readdir(folder).catch(() => undefined) : undefined;
  const none = `there is no data file or folder "${name}"`;
  if (beside?.includes(basename(name))) throw new InputError(`${none}: it is a link that leads nowhere`);
  if (isFile || beside) {
    const meant = suggestion(name.slice(folder.length + 1), beside ?? []);
    const holds = beside && beside.length > 0 ? `"${folder}" holds ${beside.sort().slice(0, 10).join(", ")}` : "";
    throw new InputError(`${none}${meant}${holds && (meant ? ` ${holds}` : `; ${holds}`)}`);
  }
  try {
    return parseHubId(name);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      `${none}; a data set on the hub is owner/name, owner/name:configuration or owner/name@revision`,
    );
  }
}

/** @throws MachineError for a folder that may not be looked into */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "EACCES" || code === "EIO") throw explainFileError(error, "read", path);
    return false;
  }
}
