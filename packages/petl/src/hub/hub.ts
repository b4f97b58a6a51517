import { readdir, stat } from "node:fs/promises";
import { InputError, suggestion, type WantedData } from "@petl/core";
import { explainFileError, MachineError, systemCode } from "../machine-error.ts";
import type { FoundDataSet } from "./data-set.ts";
import type { HubEvent } from "./fetch-files.ts";
import { type HubId, parseHubId } from "./hub-id.ts";
import { loginToken } from "./login.ts";
import type { SnapshotOptions } from "./snapshot.ts";

export type { HubEvent } from "./fetch-files.ts";

export interface ResolveOptions {
  /** Never touch the network; HF_HUB_OFFLINE says the same. */
  readonly offline?: boolean | undefined;
  /** Sent to the endpoint alone and never told; HF_TOKEN, or what $HF_HOME/token holds, where left out. */
  readonly token?: string;
  /** HF_ENDPOINT, then https://huggingface.co, where left out. */
  readonly endpoint?: string;
  /** The Python library's (HF_HUB_CACHE, HF_HOME) where left out. */
  readonly cacheDir?: string;
  /** Whether weights are needed too; `true` where left out. */
  readonly weights?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: HubEvent) => void) | undefined;
  /** Milliseconds of silence after which a line counts as broken; 30,000 where left out. */
  readonly timeout?: number;
  /** Milliseconds before a broken line is tried again, doubling from try to try; 1,000 where left out. */
  readonly retryDelay?: number;
}

/**
 * The folder of a base model or an adapter: `name` itself where it is a folder, otherwise that of the hub's
 * `owner/name[@revision]` in the Python library's cache, downloaded where it isn't there yet.
 * Throws an InputError for what the user can mend (no such model, closed access, not in the cache) and a MachineError
 * for what the network or the disk denies.
 */
export async function resolveBase(name: string, options: ResolveOptions = {}): Promise<string> {
  if (await isFolder(name)) return name;
  const id = parseHubId(name);
  const settings = await settingsOf(options);
  const { cachedSnapshot, downloadedSnapshot } = await import("./snapshot.ts"); // a local folder needs none of it
  const snapshot = isOffline(options) ? cachedSnapshot : downloadedSnapshot;
  try {
    return await snapshot(id, settings);
  } catch (error) {
    throw await alsoNoFolder(error, name);
  }
}

/**
 * The files of a data set on the hub, in the Python library's cache, downloaded where they aren't there yet; of several
 * configurations those of the one that is wanted. Throws as {@link resolveBase}.
 */
export async function resolveDataSet(
  id: HubId,
  wanted: WantedData,
  options: ResolveOptions = {},
): Promise<FoundDataSet> {
  const settings = await settingsOf(options);
  const { cachedDataSet, downloadedDataSet } = await import("./data-set.ts");
  return (isOffline(options) ? cachedDataSet : downloadedDataSet)(id, wanted, settings);
}

const settingsOf = async (options: ResolveOptions): Promise<SnapshotOptions> => ({
  endpoint: checkedEndpoint(options.endpoint ?? (process.env.HF_ENDPOINT || "https://huggingface.co")),
  token: options.token ?? (await loginToken()),
  cacheDir: options.cacheDir,
  weights: options.weights ?? true,
  signal: options.signal,
  onProgress: options.onProgress ?? (() => {}),
  timeout: options.timeout ?? 30_000,
  retryDelay: options.retryDelay ?? 1_000,
});

const isOffline = ({ offline }: ResolveOptions) => offline || isYes(process.env.HF_HUB_OFFLINE);

/** A mistyped path looks like a hub id, so that an error says what there is instead, where the path begins with a folder. */
async function alsoNoFolder(error: unknown, name: string): Promise<unknown> {
  const [parent = "", child = ""] = name.split("/");
  const beside = await foldersIn(parent);
  const none = `there is no folder ${JSON.stringify(name)}`;
  const has =
    beside.length === 0 ? "" : `${suggestion(child, beside)}; ${JSON.stringify(parent)} holds ${some(beside)}`;
  if (error instanceof InputError)
    return beside.length === 0 ? error : new InputError(`${none}${has}; ${error.message}`);
  if (!(error instanceof MachineError)) return error;
  const taken = `${none}${has}; taken for a hub id: ${error.message}`;
  return beside.length > 0 ? new InputError(taken) : new MachineError(taken, { passing: error.passing, cause: error });
}

const some = (names: readonly string[]): string => `${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}`;

async function foldersIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function isFolder(name: string): Promise<boolean> {
  try {
    if ((await stat(name)).isDirectory()) return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "EACCES" || code === "EIO") throw explainFileError(error, "read", name);
    return false;
  }
  throw new InputError(`"${name}" is a file; give the folder that holds config.json, or a hub id`);
}

/** As the Python library reads its switches. */
function isYes(value: string | undefined): boolean {
  return ["1", "ON", "YES", "TRUE"].includes(value?.toUpperCase() ?? "");
}

/** Addresses may hold secrets, so that none is told before it is known to hold none. */
function checkedEndpoint(endpoint: string): string {
  const { username, password, search, hash } = URL.canParse(endpoint) ? new URL(endpoint) : emptyAddress;
  if (username || password || search || hash || endpoint.includes("@")) {
    throw new InputError(
      "the hub's address holds more than a host and a path; check HF_ENDPOINT, and give a token in HF_TOKEN",
    );
  }
  if (!/^https?:\/\/[^/\s]+(\/\S*)?$/.test(endpoint) || !URL.canParse(endpoint)) {
    throw new InputError(
      `the hub's address ${JSON.stringify(endpoint)} is no http or https address; check HF_ENDPOINT`,
    );
  }
  return endpoint.replace(/\/+$/, "");
}

const emptyAddress = { username: "", password: "", search: "", hash: "" };
