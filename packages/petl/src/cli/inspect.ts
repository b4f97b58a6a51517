import {
  type AdaptedModel,
  type Adapter,
  adapt,
  adapterOn,
  countParameters,
  type Goal,
  type HfModel,
  InputError,
  labelCount,
  listSites,
  type MethodUse,
  readAdapter,
  readBase,
  type Sites,
  taskOf,
  tasks,
} from "@petl/core";
import { directory } from "../files.ts";
import { type FileDigest, fileDigests } from "./file-digests.ts";
import { choice, count, flagName, text, toggle } from "./flags.ts";
import { chooseMethods } from "./method-flags.ts";
import { offlineFlag, resolveModel } from "./open.ts";
import { type Context, defineVerb } from "./verb.ts";

export const inspectVerb = defineVerb({
  name: "inspect",
  summary: "show a model's sites, parameter counts and digests, and what an adapter or a method would train",
  operand: "<BASE|ADAPTER>",
  flags: {
    base: text("BASE", "the base of an ADAPTER, where its own name for it leads nowhere"),
    method: text("METHOD", "count what this method would train; several with +, as in lora+bitfit"),
    adapter: text("ADAPTER", "count what this adapter trained"),
    task: choice(tasks, "the task of the head (default: what the base or the adapter is made for)"),
    labels: count("number of the head's labels"),
    digests: toggle(true, "SHA-256 of the files"),
    offline: offlineFlag,
  },
  takesMethods: true,
  examples: [
    "inspect models/tiny",
    "inspect google-bert/bert-base-uncased --method lora --rank 16 --task classification --labels 3 --json",
    "inspect out --base models/tiny",
  ],
  async run({ flags, json, operands, methodOptions }, context) {
    const asked = { ...flags, name: operands[0] ?? "", methodOptions };
    const found = await look(asked, context);
    const report = { ...describe(found), files: flags.digests ? await digests(found) : [] };
    if (json) return context.print(JSON.stringify(report));
    for (const line of lines(report)) await context.print(line);
  },
});

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

/** What there is to describe. */
interface Found {
  readonly base: HfModel;
  readonly adapter: Adapter | undefined;
  readonly adapted: AdaptedModel;
  /** whether the base or the asker says what the head is for; otherwise no head is counted */
  readonly hasTask: boolean;
  readonly folders: readonly string[];
}

async function look(asked: Asked, context: Context): Promise<Found> {
  const settings = { offline: asked.offline, weights: false };
  if (asked.method !== undefined && asked.adapter !== undefined)
    throw new InputError("give --method or --adapter, not both");
  if (asked.method === undefined) refuseOptions(asked.methodOptions);
  const first = await resolveModel(asked.name, settings, context);
  const isAdapter = (await directory(first).files()).includes("adapter_config.json");
  if (isAdapter && asked.adapter !== undefined)
    throw new InputError(`${asked.name} is an adapter itself; leave out --adapter`);
  const adapterFolder = isAdapter
    ? first
    : asked.adapter && (await resolveModel(asked.adapter, { offline: asked.offline }, context));
  const adapter = adapterFolder ? await readAdapter(directory(adapterFolder)) : undefined;
  const baseFolder = isAdapter ? await baseOf(asked, adapter, context) : first;
  const base = await readBase(directory(baseFolder), { weights: false });
  const { methods, goal, hasTask } = parts(asked, base, adapter);
  const folders = [baseFolder, ...(adapterFolder ? [adapterFolder] : [])];
  return { base, adapter, adapted: adapt(base, methods, goal), hasTask, folders };
}

function refuseOptions(options: Readonly<Record<string, unknown>>): void {
  const [first] = Object.keys(options);
  if (first !== undefined)
    throw new InputError(`--${flagName(first)} is an option of methods; choose one with --method`);
}

/** The folder of the base that an adapter was made for. */
async function baseOf(asked: Asked, adapter: Adapter | undefined, context: Context): Promise<string> {
  const name = asked.base ?? adapter?.baseName;
  const settings = { offline: asked.offline, weights: false };
  if (asked.base !== undefined || name === undefined) {
    if (name === undefined)
      throw new InputError(`${asked.name} does not say which base it is for; give it with --base`);
    return resolveModel(name, settings, context);
  }
  return resolveModel(name, settings, context).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    throw new InputError([
      `${asked.name} was made for "${name}", which can't be opened; give --base`,
      ...error.problems,
    ]);
  });
}

interface Parts {
  readonly methods: readonly MethodUse[];
  readonly goal: Goal;
  readonly hasTask: boolean;
}

function parts(asked: Asked, base: HfModel, adapter: Adapter | undefined): Parts {
  if (adapter) return { ...adapterOn(adapter, base), hasTask: true };
  const methods = asked.method === undefined ? [] : chooseMethods(asked.method, asked.methodOptions);
  const task = asked.task ?? taskOf(base.config);
  const labels = task === "regression" ? 1 : (asked.labels ?? labelCount(base.config));
  return { methods, goal: { task: task ?? "classification", labels }, hasTask: task !== undefined };
}

/** Everything but the files' digests, for which the weights are read. */
function describe({ base, adapter, adapted, hasTask }: Found) {
  const { model } = base;
  const { goal, layout, modelTensors, targets } = adapted;
  const counts = countParameters(adapted);
  const own = hasTask ? counts : { ...counts, head_parameters: 0, trainable_ratio_with_head: counts.trainable_ratio };
  const tensors = hasTask ? modelTensors : modelTensors.filter(({ head }) => !head);
  return {
    ...{ base: base.name, architecture: model.modelType, class: model.classes[hasTask ? goal.task : "base"] },
    ...{ task: hasTask ? goal.task : null, labels: hasTask && goal.task !== "masked-lm" ? goal.labels : null },
    sizes: model.sizes,
    ...own,
    methods: adapted.methods.map(({ name, options }) => ({ name, options })),
    ...(adapter && { adapter: { layout: adapter.layout, made_for: adapter.baseName ?? null } }),
    targets,
    parts: sums(tensors.map(({ name, shape, head }) => [head ? "head" : partOf(name, model.prefix), product(shape)])),
    trained: sums(
      layout.flatMap(({ method, part, size }) =>
        part === "head" && !hasTask ? [] : [[method ?? "head", size] as const],
      ),
    ),
    sites: sitesOf(base, goal, hasTask),
  };
}

/** Without a task there is no head whose layers were sites. */
function sitesOf(base: HfModel, goal: Goal, hasTask: boolean): Sites {
  const sites = listSites(base, goal);
  const heads = hasTask ? [] : base.model.headModules[goal.task];
  const outside = (path: string) => !heads.some((module) => path === module || path.startsWith(`${module}.`));
  return { ...sites, linear: sites.linear.filter(outside) };
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** `bert.encoder.layer.0.…` is of the layers, `bert.embeddings.…` of the embeddings. */
function partOf(name: string, prefix: string): string {
  const inside = name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : name;
  return /\.\d+\./.test(inside) ? "layers" : (inside.split(".")[0] ?? inside);
}

/** Sums by name; the head comes last, as in the model. */
function sums(entries: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  const totals = new Map<string, number>();
  for (const [name, size] of entries) totals.set(name, (totals.get(name) ?? 0) + size);
  const { head, ...rest } = Object.fromEntries(totals);
  return head === undefined ? rest : { ...rest, head };
}

async function digests({ folders }: Found): Promise<readonly (FileDigest & { readonly folder: string })[]> {
  const all = await Promise.all(
    folders.map(async (folder) => (await fileDigests(folder)).map((digest) => ({ folder, ...digest }))),
  );
  return all.flat();
}

type Report = ReturnType<typeof describe> & { readonly files: readonly FileDigest[] };

function* lines(report: Report): Generator<string> {
  const { sizes, sites } = report;
  yield `${report.base}: ${report.class} (${report.architecture}), ${sizes.layers} layers, hidden ${sizes.hidden}, ${sizes.heads} heads`;
  const labels = report.labels === null ? "" : `, ${report.labels} labels`;
  yield `task: ${report.task ?? "none known; name one with --task"}${labels}`;
  yield `parameters of the base: ${grouped(report.base_parameters)}, of the head: ${grouped(report.head_parameters)}`;
  for (const [part, size] of Object.entries(report.parts)) yield `  ${part.padEnd(12)} ${grouped(size).padStart(15)}`;
  if (report.methods.length > 0) {
    const names = report.methods.map(({ name }) => name).join("+");
    yield `trained by ${names}: ${grouped(report.trained_parameters)} (${percent(report.trainable_ratio)} of the base; ${percent(report.trainable_ratio_with_head)} with the head)`;
    for (const [part, size] of Object.entries(report.trained))
      yield `  ${part.padEnd(12)} ${grouped(size).padStart(15)}`;
    yield `acts on ${report.targets.length} sites`;
    for (const path of report.targets) yield `  ${path}`;
  }
  yield "sites:";
  for (const [kind, paths] of Object.entries(sites)) yield* [`  ${kind} (${paths.length})`, ...shortened(paths)];
  for (const { file, bytes, sha256 } of report.files) yield `${sha256}  ${file} (${grouped(bytes)} bytes)`;
}

const grouped = (value: number) => value.toLocaleString("en-US");
const percent = (ratio: number) => `${(100 * ratio).toPrecision(3)}%`;

/** Paths with `*` for the layer's number, each once. */
const shortened = (paths: readonly string[]) =>
  [...new Set(paths.map((path) => path.replace(/\.\d+\./, ".*.")))].map((path) => `    ${path}`);
