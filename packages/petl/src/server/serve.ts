import { access } from "node:fs/promises";
import { join } from "node:path";
import { type Activations, InputError } from "@petl/core";
import { foldersIn, userDataFolder } from "../disk/user-data.ts";
import { localExecutor } from "../executors/local-executor.ts";
import { outage } from "../executors/outage.ts";
import { queueExecutor } from "../executors/queue-executor.ts";
import { sharedJobs } from "../jobs/job-work.ts";
import { openBank } from "../library/bank.ts";
import { baseDigest } from "../library/base-digest.ts";
import { openBase } from "../library/open-base.ts";
import { openAdapterShelf } from "./adapter-shelf.ts";
import { openAllowances } from "./allowance.ts";
import { openFileStore } from "./file-store.ts";
import { openGate } from "./gate.ts";
import { type JobDesk, openJobDesk } from "./job-desk.ts";
import { openKeys, readKeys } from "./keys.ts";
import { type AccessLine, listen } from "./listen.ts";
import { openMetrics } from "./metrics.ts";
import { baseModelName, openModels } from "./models.ts";
import type { Service } from "./service.ts";

export interface ServeOptions {
  readonly base: string;
  readonly host: string;
  readonly port: number;
  /** the file of tenants */
  readonly keys?: string | undefined;
  /** a folder of adapters, each under its own name */
  readonly adapters?: string | undefined;
  readonly named: readonly { readonly name: string; readonly source: string }[];
  readonly maxBatch: number;
  readonly maxWait: number;
  readonly resident: number;
  /** the queue whose workers take the jobs; children of this process where left out */
  readonly queue?: string | undefined;
  /** where files, jobs and adapters are kept */
  readonly shared?: string | undefined;
  readonly threads?: number | undefined;
  readonly activations?: Activations | undefined;
  readonly offline: boolean;
}

interface Watching {
  readonly log: (line: AccessLine) => void;
  readonly remark: (text: string) => void;
}

/** A server that answers. */
export interface Serving {
  readonly url: string;
  /** Takes nothing new, answers what was received, and ends within `milliseconds`. */
  end(milliseconds: number): Promise<void>;
}

/**
 * How many full batches of rows may be inside. What is answered waits for those in front of it, so that under any load it takes at
 * most half as long again as with one full batch after the other; the rest is sent away at once, told when to come again.
 */
const batchesInside = 1.5;

/**
 * Serves a base and its adapters over HTTP.
 * @throws InputError for a host that others reach without keys, for keys, a base or adapters that cannot be used
 */
export async function serve(options: ServeOptions, { log, remark }: Watching): Promise<Serving> {
  if (options.keys === undefined && !isLoopback(options.host))
    throw new InputError(
      `--host ${options.host} lets others in, so it needs --keys FILE; without keys only 127.0.0.1 is served`,
    );
  const keys = options.keys === undefined ? openKeys : await readKeys(options.keys);
  let service: Service | undefined;
  const ending = new AbortController();
  const fault = (id: string, error: unknown) =>
    remark(`${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const { host, port, offline, threads, activations, maxBatch, maxWait, resident } = options;
  const listening = await listen({ host, port, service: () => service, log, fault });
  try {
    const base = await openBase(options.base, { offline, threads, activations });
    const bank = await openBank(base, { resident, maxBatch, maxWait });
    const models = openModels(await modelNameOf(options.base), Math.floor(Date.now() / 1000));
    const digest = await baseDigest(base.folder);
    const shared =
      options.shared ??
      join(userDataFolder(), "serve", `${models.base.replace(/[^\w.-]/g, "_")}-${digest.slice(0, 12)}`);
    const shelf = openAdapterShelf(shared, bank, models, digest);
    for (const { name, source } of [...(await adaptersIn(options.adapters)), ...options.named])
      for (const line of await shelf.serve(name, source)) remark(line);
    await shelf.restore(remark);
    const files = await openFileStore(shared);
    const executor =
      options.queue === undefined
        ? localExecutor(1, sharedJobs(shared), (error) => fault("a job", error))
        : await queueExecutor(options.queue, outage(remark));
    const jobs = await openJobDesk({
      shared,
      baseModel: models.base,
      executor,
      shelf,
      files,
      base: { base: options.base, folder: process.cwd(), base_sha256: digest },
    });
    const reconciling = reconcile(jobs, (error) => fault("jobs", error));
    service = {
      bank,
      models,
      shelf,
      keys,
      maxBatch,
      files,
      jobs,
      ending: ending.signal,
      allowances: openAllowances(),
      metrics: openMetrics(),
      gate: openGate(Math.ceil(batchesInside * maxBatch)),
    };
    return {
      url: listening.url,
      async end(milliseconds) {
        ending.abort();
        clearInterval(reconciling);
        await Promise.all([listening.end(milliseconds), executor.close()]);
        await bank.close();
        await base.close();
      },
    };
  } catch (error) {
    await listening.end(0);
    throw error;
  }
}

/** Milliseconds between looks at what the executor may have lost. */
const reconcileEvery = 1000;

/** Looks at once, and again and again. */
function reconcile(jobs: JobDesk, fault: (error: unknown) => void): NodeJS.Timeout {
  let looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    await jobs.reconcile().catch(fault);
    looking = false;
  };
  look();
  return setInterval(look, reconcileEvery);
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);

/** Each folder in a folder, by its name. */
async function adaptersIn(folder: string | undefined): Promise<ServeOptions["named"]> {
  if (folder === undefined) return [];
  const names = await foldersIn(folder);
  if (names.length === 0) throw new InputError(`--adapters ${folder} holds no folders`);
  return names.map((name) => ({ name, source: join(folder, name) }));
}

/** A folder is served under its last part, a bundled base and a hub id under their own names. */
async function modelNameOf(base: string): Promise<string> {
  const isFolder = await access(base).then(
    () => true,
    () => false,
  );
  return baseModelName(base, isFolder);
}
