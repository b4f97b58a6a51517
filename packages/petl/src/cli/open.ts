import {
  type Activations,
  activationTypes,
  type BaseGoal,
  batchSettings,
  type DeviceName,
  InputError,
  type OpenModel,
  RunError,
  type Task,
  tasks,
  tokenSettings,
  unadapted,
} from "@petl/core";
import type { ReadEvent } from "../data/read-data.ts";
import { optionalChoice, optionalCount, text } from "../flags/flags.ts";
import { baseFlag, deviceFlag, offlineFlag } from "../flags/shared-flags.ts";
import type { HubEvent } from "../hub/hub.ts";
import { loadAdapter } from "../library/load-adapter.ts";
import { locate } from "../library/locate.ts";
import { type OpenBase, openBase } from "../library/open-base.ts";
import { explained } from "./finite.ts";
import type { Context } from "./verb.ts";

/** The flags that say with which model to compute. */
export const modelFlags = {
  base: baseFlag,
  adapter: text("ADAPTER", "the adapter on top of it: a folder or a hub id"),
  task: optionalChoice(tasks, "what the base's head is for, where its config.json does not say it"),
  labels: optionalCount("number of the head's labels, where config.json does not say it"),
  offline: offlineFlag,
  threads: optionalCount("threads that share the work (default: the machine's cores)"),
  device: deviceFlag,
  activations: optionalChoice(
    activationTypes,
    "what products with weights in 4 or 8 bits multiply: int8 rounds it, which is faster and moves numbers a little (float32)",
  ),
};

/** The flags that say how rows are read and computed. */
export const rowFlags = { ...batchSettings, maxLength: tokenSettings.maxLength };

type Where = Pick<Context, "terminal" | "signal">;

/** The folder that a name stands for, with downloads shown. */
export async function resolveModel(
  name: string,
  { offline, weights = true }: { readonly offline: boolean; readonly weights?: boolean },
  { terminal, signal }: Where,
): Promise<string> {
  const folder = await locate(name, { offline, weights, signal, onProgress: shownDownload(name, terminal) });
  terminal.done();
  return folder;
}

/** What a download tells, on the terminal. */
export const shownDownload = (name: string, terminal: Where["terminal"]) => (event: HubEvent | ReadEvent) => {
  if (event.type === "reading")
    terminal.progress({ what: `reading ${event.file}`, done: event.done, of: event.of, unit: "MB" });
  else if (event.type === "tokens")
    terminal.progress({ what: "making tokens", done: event.done, of: event.of, unit: "rows" });
  else if (event.type === "download") terminal.progress(event);
  else if (event.type === "waiting") terminal.line(`waiting for another download of ${name}`);
  else terminal.line(`using what is downloaded already: ${event.reason}`);
};

interface ModelChoice {
  readonly base: string;
  readonly adapter: string | undefined;
  readonly task: Task | undefined;
  readonly labels: number | undefined;
  readonly offline: boolean;
  readonly threads: number | undefined;
  readonly device?: DeviceName | undefined;
  readonly activations?: Activations | undefined;
}

/** Opens base and adapter, lends them to `work`, and ends the thread behind it. */
export async function withModel<T>(
  { base: name, adapter, ...chosen }: ModelChoice,
  where: Where,
  work: (model: OpenModel) => Promise<T>,
  plain: (base: OpenBase, chosen: BaseGoal) => Promise<OpenModel> = unadapted,
): Promise<T> {
  const { offline, threads, device, activations } = chosen;
  const base = await openBase(name, {
    offline,
    threads,
    device,
    activations,
    signal: where.signal,
    onProgress: shownDownload(name, where.terminal),
  });
  where.terminal.done();
  try {
    const model = adapter === undefined ? await plain(base, chosen) : await adapted(base, adapter, chosen, where);
    return await work(model).catch(async (error: unknown) => {
      throw error instanceof RunError ? await explained(error, model) : error;
    });
  } finally {
    await base.close();
  }
}

/** Opens a base with two adapters on it, lends both to `work`, and ends the thread behind it. */
export async function withAdapters<T>(
  {
    adapters: [first, second],
    ...chosen
  }: Omit<ModelChoice, "adapter"> & { readonly adapters: readonly [string, string] },
  where: Where,
  work: (models: readonly [OpenModel, OpenModel]) => Promise<T>,
): Promise<T> {
  return withModel({ ...chosen, adapter: first }, where, async (model) =>
    work([model, await adapted(model.base, second, chosen, where)]),
  );
}

async function adapted(
  base: OpenModel["base"],
  adapter: string,
  chosen: Omit<ModelChoice, "base" | "adapter">,
  where: Where,
): Promise<OpenModel> {
  const folder = await resolveModel(adapter, chosen, where);
  const model = await loadAdapter(base, folder);
  for (const remark of model.remarks) where.terminal.line(remark);
  const { task } = model.adapted.goal;
  if (chosen.task === undefined || chosen.task === task) return model;
  throw new InputError(`--task is ${chosen.task}, but the adapter ${adapter} is for ${task}`);
}
