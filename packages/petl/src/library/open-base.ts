import { availableParallelism } from "node:os";
import { join } from "node:path";
import {
  type Activations,
  type DeviceName,
  deviceNames,
  InputError,
  type OpenBase as OpenBaseOf,
  openBase as openBaseOf,
  requireOptions,
  type StopSignal,
  shown,
} from "@petl/core";
import { directory } from "../disk/files.ts";
import { workerEngine } from "../engine/worker-engine.ts";
import { type LocateOptions, locate } from "./locate.ts";
import { machineCache } from "./machine-cache.ts";

/** A base model with what computes it. Any number of adapters may stand on it at once; its weights are held once. */
export interface OpenBase extends OpenBaseOf {
  /** the folder of its files */
  readonly path: string;
}

export interface OpenBaseOptions extends Omit<LocateOptions, "weights" | "signal"> {
  /** threads that share one operator's work; the machine's cores where left out */
  readonly threads?: number | undefined;
  /** what computes; the processor where left out */
  readonly device?: DeviceName | undefined;
  /**
   * what products with weights in 4 or 8 bits multiply: `float32` where left out, or `int8`, rounded block by block, which is
   * faster, but moves numbers a little; such a base is not trained
   */
  readonly activations?: Activations | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a base model: a folder with Hugging Face's config.json, safetensors and tokenizer files, a hub id
 * (`owner/name[@revision]`, downloaded where it isn't there yet) or the name of a bundled base. It is computed in a
 * thread of its own, so that this one stays free; an idle base does not keep the process alive. Once `signal` is
 * aborted, nothing new is computed.
 *
 * @throws InputError for what the caller can mend, MachineError for what network or disk deny; the signal's reason
 */
export async function openBase(name: string, options: OpenBaseOptions = {}): Promise<OpenBase> {
  const { signal, threads, device, activations, ...where } = checkedOptions(name, options);
  signal?.throwIfAborted();
  const path = await locate(name, signal ? { ...where, signal } : where);
  return openFolder(path, { name, threads, device, activations, signal });
}

/** Opens the base model of a folder. */
export async function openFolder(
  path: string,
  {
    name = path,
    threads,
    device,
    activations,
    signal,
  }: {
    name?: string;
    threads?: number | undefined;
    device?: DeviceName | undefined;
    activations?: Activations | undefined;
    signal?: StopSignal | undefined;
  } = {},
): Promise<OpenBase> {
  const source = {
    name,
    folder: directory(path),
    inner: (folder: string) => directory(join(path, folder)),
    openEngine: (files: readonly string[], shares: number) =>
      workerEngine(path, files, { threads: shares === 1 ? threads : shareOf(threads, shares), device }),
  };
  const opened = await openBaseOf({ ...source, openCache: (choice) => machineCache(choice) }, { signal, activations });
  return { ...opened, path };
}

/** An engine's threads where several share them. */
const shareOf = (threads = availableParallelism(), shares: number): number => Math.max(1, Math.floor(threads / shares));

function checkedOptions(name: unknown, options: OpenBaseOptions): OpenBaseOptions {
  if (typeof name !== "string" || name === "")
    throw new InputError(
      `base is ${name === undefined ? "missing" : shown(name)}; it must be a folder, a hub id or the name of a bundled base`,
    );
  const { threads, device } = requireOptions(options);
  if (device !== undefined && !deviceNames.includes(device))
    throw new InputError(`device is ${shown(device)}; devices: ${deviceNames.join(", ")}`);
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0))
    throw new InputError(`threads ${shown(threads)} must be a whole number above 0`);
  return options;
}
