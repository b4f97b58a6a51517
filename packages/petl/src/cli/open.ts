import { access } from "node:fs/promises";
import { join } from "node:path";
import {
  type AdaptedModel,
  adapt,
  type Engine,
  type Goal,
  type HfModel,
  InputError,
  initialPhi,
  labelCount,
  loadAdapter,
  loadTokenizer,
  type Phi,
  readBase,
  type Task,
  type Tokenizer,
  taskOf,
  tasks,
  tokenizerFileNames,
} from "@petl/core";
import { z } from "zod";
import { directory } from "../files.ts";
import { type HubEvent, resolveBase } from "../hub.ts";
import { type WorkerEngine, workerEngine } from "../worker-engine.ts";
import { bundledBases, bundledFolder } from "./bases.ts";
import { choice, count, neededText, number, text, toggle } from "./flags.ts";
import type { Context } from "./verb.ts";

export const baseFlag = neededText(
  "BASE",
  "the base model: a folder, a hub id (owner/name[@revision]) or a bundled name",
);
export const offlineFlag = toggle(false, "never touch the network");

/** The flags that say with which model to compute. */
export const modelFlags = {
  base: baseFlag,
  adapter: text("ADAPTER", "the adapter on top of it: a folder or a hub id"),
  task: choice(tasks, "what the base's head is for, where its config.json does not say it"),
  labels: count("number of the head's labels, where config.json does not say it"),
  offline: offlineFlag,
  threads: count("threads that share the work (default: the machine's cores)"),
};

/** The flags that say how rows are read and computed. */
export const rowFlags = {
  batch: number(z.int().positive().default(32), "N", "rows that are computed together (32)"),
  maxLength: count("tokens after which a text is cut (default: as many as the model takes)"),
};

type Where = Pick<Context, "terminal" | "signal">;

/** The folder that a name stands for: a folder's own, a bundled base's, or that of a download from the hub. */
export async function resolveModel(
  name: string,
  { offline, weights = true }: { readonly offline: boolean; readonly weights?: boolean },
  { terminal, signal }: Where,
): Promise<string> {
  const bundled = join(bundledFolder, name);
  if ((await bundledBases()).includes(name) && !(await isThere(name))) return bundled;
  const onProgress = (event: HubEvent) => {
    if (event.type === "download") terminal.progress(event);
    else
      terminal.line(
        event.type === "waiting"
          ? `waiting for another download of ${name}`
          : `using what is downloaded already: ${event.reason}`,
      );
  };
  const folder = await resolveBase(name, { offline, weights, signal, onProgress });
  terminal.done();
  return folder;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The tokenizer of a folder; undefined where it has none. */
export async function openTokenizer(path: string): Promise<Tokenizer | undefined> {
  const folder = directory(path);
  const present = await folder.files();
  if (!present.includes("tokenizer.json") && !present.includes("vocab.txt")) return undefined;
  const texts = tokenizerFileNames
    .filter((name) => present.includes(name))
    .map(async (name) => {
      const source = await folder.open(name);
      return [name, new TextDecoder().decode(await source.read(0, source.size))] as const;
    });
  return loadTokenizer(Object.fromEntries(await Promise.all(texts)));
}

/** A model that is ready to compute, in a thread of its own. */
export interface OpenModel {
  readonly base: HfModel;
  /** the base's folder */
  readonly path: string;
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  /** the labels' names, in the order of their numbers */
  readonly labels: readonly string[];
  readonly engine: Engine;
}

interface ModelChoice {
  readonly base: string;
  readonly adapter: string | undefined;
  readonly task: Task | undefined;
  readonly labels: number | undefined;
  readonly offline: boolean;
  readonly threads: number | undefined;
}

/** Opens base and adapter, lends them to `work`, and ends the thread behind it. */
export async function withModel<T>(
  chosen: ModelChoice,
  where: Where,
  work: (model: OpenModel) => Promise<T>,
): Promise<T> {
  const path = await resolveModel(chosen.base, chosen, where);
  const base = await readBase(directory(path));
  const parts = chosen.adapter === undefined ? await alone(base, chosen) : await together(base, chosen, where);
  const engine: WorkerEngine = await workerEngine(path, base.checkpoint?.files ?? [], { threads: chosen.threads });
  try {
    return await work({ base, path, engine: interruptible(engine, where.signal), ...parts });
  } finally {
    await engine.close();
  }
}

/** The same engine, which refuses to begin anything once the signal is aborted. */
function interruptible(engine: Engine, signal: AbortSignal): Engine {
  return {
    ...engine,
    async createSession(graph) {
      signal.throwIfAborted();
      const session = await engine.createSession(graph);
      return {
        ...session,
        run(inputs, into) {
          signal.throwIfAborted();
          return session.run(inputs, into);
        },
      };
    },
  };
}

type Parts = Pick<OpenModel, "adapted" | "phi" | "labels">;

async function alone(base: HfModel, chosen: ModelChoice): Promise<Parts> {
  const goal = { ...goalOf(base, chosen), trainsHead: false };
  const adapted = adapt(base, [], goal);
  return { adapted, phi: await initialPhi(adapted, 0), labels: namesFor(goal, baseLabels(base)) };
}

async function together(base: HfModel, chosen: ModelChoice, where: Where): Promise<Parts> {
  const folder = await resolveModel(chosen.adapter ?? "", chosen, where);
  const { adapted, phi, labels } = await loadAdapter(directory(folder), base);
  if (chosen.task !== undefined && chosen.task !== adapted.goal.task) {
    throw new InputError(`--task is ${chosen.task}, but the adapter ${chosen.adapter} is for ${adapted.goal.task}`);
  }
  return { adapted, phi, labels: namesFor(adapted.goal, labels) };
}

/** What a base is for: what was said, else what its config.json says. */
export function goalOf(base: HfModel, { task, labels }: Pick<ModelChoice, "task" | "labels">): Goal {
  const own = task ?? taskOf(base.config);
  if (own === undefined) {
    const { architectures } = base.config;
    const what = architectures?.length ? `is a ${architectures.join(", ")}` : "names no architectures in config.json";
    throw new InputError(
      `${base.name} ${what}, which has no head that petl knows; give an --adapter that brings one, or a --task (${tasks.join(", ")})`,
    );
  }
  return { task: own, labels: own === "regression" ? 1 : (labels ?? labelCount(base.config)) };
}

const baseLabels = ({ config: { id2label } }: HfModel) => (id2label ? Object.values(id2label) : undefined);

/** The given names where there is one for every label, else LABEL_0, LABEL_1, … as transformers has them. */
function namesFor({ labels }: Goal, given: readonly string[] | undefined): readonly string[] {
  return given?.length === labels ? given : Array.from({ length: labels }, (_, id) => `LABEL_${id}`);
}
