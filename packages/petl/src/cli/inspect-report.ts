import {
  type AdaptedModel,
  type AdapterFiles,
  announcedKindNames,
  countParameters,
  type Goal,
  type HfModel,
  heads,
  listSites,
  objectiveOf,
  type Quantization,
} from "@petl/core";
import type { FileDigest } from "./file-digests.ts";

/** What there is to describe. */
export interface Found {
  readonly base: HfModel;
  readonly adapter: AdapterFiles | undefined;
  readonly adapted: AdaptedModel;
  /** whether the base or the asker says what the head is for; otherwise no head is counted */
  readonly hasTask: boolean;
}

/** Everything but the files' digests, for which the weights are read. */
export function describe({ base, adapter, adapted, hasTask }: Found) {
  const { model } = base;
  const { goal, layout, modelTensors, targets } = adapted;
  const { head: kind } = objectiveOf(goal.task);
  const counts = countParameters(adapted);
  const own = hasTask ? counts : { ...counts, head_parameters: 0, trainable_ratio_with_head: counts.trainable_ratio };
  const tensors = hasTask ? modelTensors : modelTensors.filter(({ head }) => !head);
  return {
    base: base.name,
    architecture: model.modelType,
    class: hasTask ? model.classes[kind] : model.classes.base,
    task: hasTask ? goal.task : null,
    labels: hasTask && heads[kind].from === "labels" ? goal.labels : null,
    sizes: model.sizes,
    ...(base.quantization && { quantization: base.quantization }),
    ...own,
    methods: adapted.methods.map(({ name, options }) => ({ name, options })),
    ...(adapter && { adapter: { layout: adapter.layout, made_for: adapter.baseName ?? null } }),
    targets,
    parts: sums(tensors.map((tensor) => [partOf(tensor, model.prefix), product(tensor.shape)])),
    trained: sums(
      layout.flatMap(({ method, part, size }) =>
        part === "head" && !hasTask ? [] : [[method ?? "head", size] as const],
      ),
    ),
    sites: sitesOf(base, goal, hasTask),
  };
}

/** Without a task there is no head whose layers were sites. */
function sitesOf(base: HfModel, goal: Goal, hasTask: boolean) {
  const headModules = hasTask ? [] : (base.model.headModules[objectiveOf(goal.task).head] ?? []);
  const outside = (path: string) => !headModules.some((module) => path === module || path.startsWith(`${module}.`));
  const paths = (kind: string) => listSites(base, goal, kind).map(({ path }) => path);
  return Object.fromEntries(announcedKindNames.map((kind) => [kind, paths(kind).filter(outside)]));
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** `bert.encoder.layer.0.…` is of the layers, `bert.embeddings.…` of the embeddings. */
function partOf({ name, layer, head }: AdaptedModel["modelTensors"][number], prefix: string): string {
  if (head) return "head";
  if (layer !== undefined) return "layers";
  const inside = name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : name;
  return inside.split(".")[0] ?? inside;
}

/** Sums by name; the head comes last, as in the model. */
function sums(entries: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  const totals = new Map<string, number>();
  for (const [name, size] of entries) totals.set(name, (totals.get(name) ?? 0) + size);
  const { head, ...rest } = Object.fromEntries(totals);
  return head === undefined ? rest : { ...rest, head };
}

type Report = ReturnType<typeof describe> & { readonly files: readonly FileDigest[] };

/** The report for people. */
export function* lines(report: Report): Generator<string> {
  const { sizes, sites, quantization } = report;
  yield `${report.base}: ${report.class} (${report.architecture}), ${sizes.layers} layers, hidden ${sizes.hidden}, ${sizes.heads} heads`;
  const labels = report.labels === null ? "" : `, ${report.labels} labels`;
  yield `task: ${report.task ?? "none known; name one with --task"}${labels}`;
  yield `parameters of the base: ${grouped(report.base_parameters)}, of the head: ${grouped(report.head_parameters)}`;
  if (quantization) yield `weights: ${heldIn(quantization)}`;
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

/** What of a base is quantised, and how far that is from what it was. */
const heldIn = ({ bits, block_size, relative_error: error }: Quantization) =>
  `the stack's linear layers in ${bits} bits, blocks of ${block_size}; rounding changed ${percent(error)} of them (root mean square)`;

const grouped = (value: number) => value.toLocaleString("en-US");
const percent = (ratio: number) => `${(100 * ratio).toPrecision(3)}%`;

/** Paths with `*` for the layer's number, each once. */
const shortened = (paths: readonly string[]) =>
  [...new Set(paths.map((path) => path.replace(/\.\d+\./, ".*.")))].map((path) => `    ${path}`);
