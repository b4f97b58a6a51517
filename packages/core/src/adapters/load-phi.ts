import { quote } from "../containers/json.ts";
import { type ProblemList, problemList } from "../containers/problem-list.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { findTensor } from "../peft/base.ts";
import { emptyPhi, type Phi, type Placed, tensorWriter } from "../peft/phi.ts";
import { strangeNumber } from "../tensor/finite.ts";
import { float32 } from "../tensor/host-tensor.ts";
import type { AdapterFiles, AdapterTensor } from "./adapter-files.ts";

/**
 * Reads Φ from an adapter's file into an adapted model's layout. Every tensor of the layout must be there in its shape,
 * and every tensor of the file must have a place. Three things are let through: a head module of which the adapter holds
 * nothing comes from the base where the base has it; copies are passed over where they are equal, of the base's tensors,
 * which PEFT stores beside adapted embeddings, or of a tensor that has two names; and so are tensors of the base that the
 * task does not read. Numbers that are none are refused.
 *
 * @throws InputError with every problem, naming the adapter's base and this one
 */
export async function loadPhi(adapter: AdapterFiles, adapted: AdaptedModel): Promise<Phi> {
  const { base, layout, projections } = adapted;
  const made = adapter.baseName === undefined ? "" : ` (made for ${quote(adapter.baseName)})`;
  const problems = problemList(`${adapter.folder.name}${made} on ${base.name}`);
  const sources = layout.map((placed) => sourceOf(adapter, adapted, placed, problems));
  const matrices = projections.map(({ name, shape }) => matrixOf(adapter, name, shape, problems));
  const used = new Set([
    ...sources.flatMap((source) => (source?.from === "adapter" ? source.tensor.name : [])),
    ...matrices.flatMap((tensor) => tensor?.name ?? []),
  ]);
  for (const [name, tensor] of adapter.tensors) {
    if (!used.has(tensor.name) && !(await isRedundant(adapter, adapted, name, tensor))) {
      problems.add(`tensor ${quote(name)} ${shapeText(tensor.shape)} has no place in the adapted model`);
    }
  }
  const grown = vocabularyOf(adapter, adapted);
  if (grown !== undefined) {
    const { vocabulary } = base.model.sizes;
    problems.add(
      `the vocabulary grew from ${vocabulary} to ${grown} tokens before this adapter was trained, and petl keeps the base's ` +
        `table; merge it in Python, after base.resize_token_embeddings(${grown}), and open the merged model`,
    );
  }
  problems.refuse();
  const phi = emptyPhi(layout);
  const put = tensorWriter(phi);
  const names = new Map([...adapter.tensors].map(([name, tensor]) => [tensor.name, name]));
  for (const [at, placed] of layout.entries()) {
    const source = sources[at];
    if (!source) continue;
    const { name } = source.tensor;
    const values = await (source.from === "base" ? base.read(name) : adapter.read(names.get(name) ?? name));
    const strange = strangeNumber(values);
    if (strange !== undefined) problems.add(`tensor ${quote(placed.name)} holds ${strange}`);
    put(placed.name, values);
  }
  problems.refuse();
  const drawn = projections.map(
    async ({ name }, at) => [name, float32(matrices[at]?.shape ?? [], await adapter.read(name))] as const,
  );
  return { ...phi, projections: Object.fromEntries(await Promise.all(drawn)) };
}

/** The rows of the adapter's table of words, where they are more than the base's. */
function vocabularyOf({ tensors }: AdapterFiles, { base, ties }: AdaptedModel): number | undefined {
  const { vocabulary } = base.model.sizes;
  for (const [name, { shape }] of tensors) {
    const table = findTensor(base, ties.get(name) ?? name)?.shape ?? [];
    const [rows = 0, width] = shape;
    if (shape.length === 2 && table[0] === vocabulary && table[1] === width && rows > vocabulary) return rows;
  }
  return undefined;
}

/** A matrix that was drawn once; it may be larger than this model's sites need. */
function matrixOf({ tensors }: AdapterFiles, name: string, needed: readonly number[], problems: ProblemList) {
  const tensor = tensors.get(name);
  if (!tensor) problems.add(`tensor ${quote(name)} ${shapeText(needed)} is missing`);
  const suffices = tensor?.shape.length === needed.length && needed.every((n, axis) => n <= (tensor.shape[axis] ?? 0));
  const problem = tensor && misfit(tensor, suffices ? tensor.shape : needed);
  if (problem) problems.add(`tensor ${quote(name)} ${problem}`);
  return tensor;
}

interface Source {
  readonly from: "adapter" | "base";
  readonly tensor: Pick<AdapterTensor, "name">;
}

function sourceOf(
  { tensors }: AdapterFiles,
  { base, headModules }: AdaptedModel,
  { name, shape, part, stored }: Placed,
  problems: ProblemList,
): Source | undefined {
  const tensor = findTensor({ tensors, model: base.model }, name);
  if (!tensor) {
    const module = headModules.find((path) => name.startsWith(`${path}.`)) ?? name;
    const silent = ![...tensors.keys()].some((key) => key.startsWith(`${module}.`));
    const ofBase = stored === undefined ? undefined : base.tensors?.get(stored);
    if (part === "head" && silent && ofBase) return { from: "base", tensor: ofBase };
    problems.add(`tensor ${quote(name)} ${shapeText(shape)} is missing`);
    return undefined;
  }
  const problem = misfit(tensor, shape);
  if (problem) problems.add(`tensor ${quote(name)} ${problem}`);
  return { from: "adapter", tensor };
}

function misfit({ shape, dtype }: AdapterTensor, wanted: readonly number[]): string | undefined {
  if (!floats.includes(dtype)) return `holds ${dtype}; a float type is needed`;
  if (sameShape(shape, wanted)) return undefined;
  return `has shape ${shapeText(shape)}; the adapted model needs ${shapeText(wanted)}`;
}

const floats: readonly string[] = ["float32", "float64", "float16", "bfloat16"];

/** Whether a tensor without a place changes nothing: a buffer, or what the base has anyway. */
async function isRedundant(
  { layout, read, tensors }: AdapterFiles,
  { base, modelTensors, ties }: AdaptedModel,
  name: string,
  tensor: AdapterTensor,
): Promise<boolean> {
  if (/(^|\.)position_ids$/.test(name)) return true;
  const [own] = Object.entries(base.model.otherNames).find(([, other]) => other === name) ?? [];
  if (own !== undefined && tensors.has(own) && sameValues(await read(name), await read(own))) return true;
  const table = ties.get(name);
  const ofBase = findTensor(base, name) ?? (table === undefined ? undefined : findTensor(base, table));
  if (!ofBase || !sameShape(ofBase.shape, tensor.shape)) return false;
  // parts of a checkpoint that the task does not use, such as the second bias of an untied output layer
  const isRead = table !== undefined || modelTensors.some((known) => known.name === name);
  if (layout === "checkpoint" || !isRead) return true;
  return sameValues(await read(name), await base.read(ofBase.name));
}

const sameValues = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((value, at) => value === b[at]);

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((length, axis) => length === b[axis]);

const shapeText = (shape: readonly number[]): string => `[${shape.join(", ")}]`;
