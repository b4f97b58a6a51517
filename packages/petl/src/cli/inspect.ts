import {
  type AdapterFiles,
  adapt,
  adapterOn,
  adapterRemarks,
  type Goal,
  type HfModel,
  headlessTask,
  InputError,
  labelCount,
  type MethodUse,
  outputsFor,
  readAdapter,
  readBase,
  taskOf,
  tasks,
} from "@petl/core";
import { directory } from "../disk/files.ts";
import { flagName, optionalChoice, optionalCount, text, toggle } from "../flags/flags.ts";
import { chooseMethods } from "../flags/method-flags.ts";
import { offlineFlag } from "../flags/shared-flags.ts";
import { MachineError } from "../machine-error.ts";
import { type FileDigest, fileDigests } from "./file-digests.ts";
import { type AdapterAlone, adapterAlone } from "./inspect-alone.ts";
import { dataFlags, dataLines, inspectData } from "./inspect-data.ts";
import { describe, type Found, lines } from "./inspect-report.ts";
import { resolveModel, shownDownload } from "./open.ts";
import { type Context, defineVerb } from "./verb.ts";

export const inspectVerb = defineVerb({
  name: "inspect",
  group: "Look around",
  summary: "show a model's sites, parameter counts and digests, and what an adapter or a method would train",
  operand: "<BASE|ADAPTER>",
  flags: {
    base: text("BASE", "the base of an ADAPTER, where its own name for it leads nowhere"),
    method: text("METHOD", "count what this method would train; several with +, as in lora+bitfit"),
    adapter: text("ADAPTER", "count what this adapter trained"),
    task: optionalChoice(tasks, "the task of the head (default: what the base or the adapter is made for)"),
    labels: optionalCount("number of the head's labels"),
    ...dataFlags,
    digests: toggle(true, "SHA-256 of the files"),
    offline: offlineFlag,
  },
  takesMethods: true,
  examples: [
    "inspect models/tiny",
    "inspect google-bert/bert-base-uncased --method lora --rank 16 --task classification --labels 3 --json",
    "inspect out --base models/tiny",
    "inspect models/tiny-llama --data chats.jsonl",
  ],
  async run({ flags, json, operands, methodOptions }, context) {
    if (flags.data.length > 0) return showData(operands[0] ?? "", flags, json, context);
    const asked = { ...flags, name: operands[0] ?? "", methodOptions };
    const { found, folders } = await look(asked, context);
    const remarks = "adapted" in found && found.adapter ? adapterRemarks(found.adapter, found.adapted) : [];
    for (const remark of remarks) context.terminal.line(remark);
    const files = flags.digests ? await digests(folders) : [];
    if ("adapted" in found) {
      const report = { ...describe(found), files };
      if (json) return context.print(JSON.stringify(report));
      for (const line of lines(report)) await context.print(line);
    } else
      await context.print(json ? JSON.stringify({ ...found, files }) : JSON.stringify({ ...found, files }, null, 2));
  },
});

/** What a base, the one of an adapter too, is fed of rows. */
async function showData(
  name: string,
  flags: Parameters<typeof inspectData>[1] & { readonly offline: boolean; readonly base: string | undefined },
  json: boolean,
  context: Context,
): Promise<void> {
  const folder = await resolveModel(flags.base ?? name, { offline: flags.offline, weights: false }, context);
  const onProgress = shownDownload("the data", context.terminal);
  const seen = await inspectData(folder, flags, { offline: flags.offline, signal: context.signal, onProgress });
  context.terminal.done();
  const report = { ...seen, remarks: seen.remarks.map(context.inFlags) };
  if (json) return context.print(JSON.stringify(report));
  for (const line of dataLines(report)) await context.print(line);
}

interface Asked {
  readonly name: string;
  readonly base: string | undefined;
  readonly method: string | undefined;
  readonly methodOptions: Readonly<Record<string, unknown>>;
  readonly adapter: string | undefined;
  readonly task: Goal["task"] | undefined;
  readonly labels: number | undefined;
  readonly offline: boolean;
}

/** Opens what was named. An adapter whose base can't be found is described alone. */
async function look(asked: Asked, context: Context): Promise<{ found: Found | AdapterAlone; folders: string[] }> {
  const { offline } = asked;
  if (asked.method !== undefined && asked.adapter !== undefined)
    throw new InputError("give --method or --adapter, not both");
  if (asked.method === undefined) refuseOptions(asked.methodOptions);
  const first = await resolveModel(asked.name, { offline, weights: false }, context);
  const isAdapter = (await directory(first).files()).includes("adapter_config.json");
  if (isAdapter && asked.adapter !== undefined)
    throw new InputError(`${asked.name} is an adapter itself; leave out --adapter`);
  if (!isAdapter) {
    const second = asked.adapter === undefined ? [] : [await resolveModel(asked.adapter, { offline }, context)];
    const base = { folder: first, name: asked.name };
    return { found: await together(asked, base, second[0]), folders: [first, ...second] };
  }
  const base = await baseOf(asked, first, context);
  if (base !== undefined) return { found: await together(asked, base, first), folders: [base.folder, first] };
  const adapter = await readAdapter(directory(first));
  for (const remark of adapter.remarks) context.terminal.line(remark);
  return { found: adapterAlone(adapter), folders: [first] };
}

/** A base's folder, which a hub id's is called after its commit, and the name that was given for it. */
interface NamedBase {
  readonly folder: string;
  readonly name: string;
}

async function together(asked: Asked, { folder, name }: NamedBase, adapterFolder: string | undefined): Promise<Found> {
  const base = { ...(await readBase(directory(folder), { weights: false })), name };
  const adapter = adapterFolder === undefined ? undefined : await readAdapter(directory(adapterFolder));
  const { methods, goal, hasTask } = parts(asked, base, adapter);
  return { base, adapter, adapted: adapt(base, methods, goal), hasTask };
}

function refuseOptions(options: Readonly<Record<string, unknown>>): void {
  const [first] = Object.keys(options);
  if (first !== undefined)
    throw new InputError(`--${flagName(first)} is an option of methods; choose one with --method`);
}

/** The folder of the base that an adapter was made for; undefined where its name for it leads nowhere. */
async function baseOf(asked: Asked, folder: string, context: Context): Promise<NamedBase | undefined> {
  const settings = { offline: asked.offline, weights: false };
  const named = async (base: string) => ({ folder: await resolveModel(base, settings, context), name: base });
  if (asked.base !== undefined) return named(asked.base);
  const { baseName } = await readAdapter(directory(folder));
  try {
    if (baseName !== undefined) return await named(baseName);
  } catch (error) {
    if (!(error instanceof InputError || error instanceof MachineError)) throw error;
  }
  const name = baseName === undefined ? "it names no base" : `its base "${baseName}" can't be opened`;
  context.terminal.line(`${name}; give it with --base for counts of the base and ratios`);
  return undefined;
}

interface Parts {
  readonly methods: readonly MethodUse[];
  readonly goal: Goal;
  readonly hasTask: boolean;
}

function parts(asked: Asked, base: HfModel, adapter: AdapterFiles | undefined): Parts {
  if (adapter) return { ...adapterOn(adapter, base), hasTask: true };
  const methods = asked.method === undefined ? [] : chooseMethods(asked.method, asked.methodOptions);
  const task = asked.task ?? taskOf(base.config);
  const labels = outputsFor(task ?? headlessTask, asked.labels ?? labelCount(base.config));
  return { methods, goal: { task: task ?? headlessTask, labels }, hasTask: task !== undefined };
}

async function digests(folders: readonly string[]): Promise<readonly (FileDigest & { readonly folder: string })[]> {
  const all = await Promise.all(
    folders.map(async (folder) => (await fileDigests(folder)).map((digest) => ({ folder, ...digest }))),
  );
  return all.flat();
}
