import { type AdapterInfo, writePetlFields } from "../adapters/petl-fields.ts";
import type { HfModel } from "../checkpoints/hf-model.ts";
import { encodeSafetensors, type SafetensorsEntry, safetensorsSize } from "../containers/safetensors-writer.ts";
import { InputError, InternalError } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { type Base, findTensor } from "../peft/base.ts";
import { tensorsOf } from "../peft/phi.ts";
import type { Engine } from "../runtime/session.ts";
import type { DType } from "../tensor/dtype.ts";
import { bfloat16FromFloat32, float16FromFloat32 } from "../tensor/half.ts";
import { rawBytes } from "../tensor/host-tensor.ts";
import { type BaseTensor, isQuantized } from "../tensor/quantized-tensor.ts";
import { type ChangedValues, changedValues } from "./changed-values.ts";
import { type FloatType, floatTypes, taskConfig } from "./task-config.ts";

/** The files of an ordinary Hugging Face checkpoint, without its tokenizer's, which are the base's. */
export interface CheckpointFiles {
  readonly "config.json": string;
  /** in chunks of a tensor each, made when they are asked for */
  readonly "model.safetensors": AsyncGenerator<Uint8Array, void, undefined>;
}

export interface MergeOptions {
  /** names of the labels in the order of their ids */
  readonly labels?: readonly string[] | undefined;
  /** the type of all float tensors; left out, each has the type that it has in the base */
  readonly dtype?: FloatType | undefined;
}

/**
 * An ordinary checkpoint that computes alone what base and adapter compute together. What the adapter leaves as it was
 * is copied bit by bit; the rest is computed in float32, some tensors at a time, and rounded to the base's type.
 * Names are those of Hugging Face's class for the task, also where the base was saved bare.
 *
 * @throws InputError before anything is written where a method cannot be merged or pooling is not Hugging Face's
 */
export async function encodeMerged(
  base: HfModel,
  adapter: AdapterNumbers,
  engine: Engine,
  { labels, dtype }: MergeOptions = {},
): Promise<CheckpointFiles> {
  const { pooling = "default" } = adapter.adapted.goal;
  if (pooling !== "default") {
    throw new InputError(
      `cannot be merged into a checkpoint: the head reads pooling "${pooling}", which Hugging Face's class has not; an ONNX file holds it (\`to: "onnx"\`), and \`pooling: "default"\` trains a head that can be merged`,
    );
  }
  return encodeModel(base, adapter, { values: adapter.adapted.merged(), engine, labels, dtype });
}

/** The checkpoint of full fine-tuning, its own adapter: what was trained in float32, exactly. */
export function encodeFull(base: HfModel, adapter: AdapterNumbers, info: AdapterInfo): Promise<CheckpointFiles> {
  const { adapted } = adapter;
  const petl = JSON.stringify(writePetlFields(adapted, info));
  const labels = info.labels?.map(String);
  const trainedType = "float32";
  return encodeModel(base, adapter, { values: adapted.merged(), labels, trainedType, metadata: { petl } });
}

/** How many bytes the checkpoint of full fine-tuning will have; without its tensors the base is taken to have no others. */
export function fullSize(base: Base, adapted: AdaptedModel, info: AdapterInfo): number {
  const changed = Object.entries(adapted.merged()).filter(([, value]) => !isFrozen(value));
  const names = new Set(changed.map(([name]) => name));
  const untouched = base.tensors ? storedNames(base).filter(([name]) => !names.has(name)) : [];
  const tensors = [
    ...untouched.map(([name, tensor]) => ({
      name,
      dtype: typeOf(tensor) ?? typeFor(base, name, {}),
      shape: tensor.shape,
    })),
    ...changed.map(([name, { shape }]) => ({ name, dtype: "float32" as const, shape: shape.map(Number) })),
  ];
  return safetensorsSize(tensors, { format: "pt", petl: JSON.stringify(writePetlFields(adapted, info)) });
}

/** What full fine-tuning made as an ordinary checkpoint that knows nothing of petl, in the type that is asked for. */
export function encodeTrained(
  base: HfModel,
  adapter: AdapterNumbers,
  { dtype }: Pick<MergeOptions, "dtype">,
): Promise<CheckpointFiles> {
  return encodeModel(base, adapter, { values: adapter.adapted.merged(), dtype });
}

interface Job extends MergeOptions {
  readonly values: Readonly<Record<string, Value>>;
  readonly engine?: Engine;
  /** the type of trained tensors; left out, the base's */
  readonly trainedType?: FloatType;
  readonly metadata?: Readonly<Record<string, string>>;
}

async function encodeModel(base: HfModel, { adapted, phi }: AdapterNumbers, job: Job): Promise<CheckpointFiles> {
  const untied = [...adapted.ties].filter(([output]) => Object.hasOwn(job.values, output));
  const { labels, dtype: configType = job.trainedType } = job;
  const config = await taskConfig(base, adapted, { labels, dtype: configType, unties: untied.length > 0 });
  const changed = Object.entries(job.values).filter(([, value]) => !isFrozen(value));
  const names = new Set(changed.map(([name]) => name));
  const untouched = [...storedNames(base), ...parted(base, untied)].filter(([name]) => !names.has(name));
  const typed = changed.map(([name, value]) => ({ name, value, dtype: typeFor(base, name, job) }));
  typed.sort((a, b) => compare(a.dtype, b.dtype) || compare(a.name, b.name));
  const values = changedValues(typed, tensorsOf(phi), job.engine);
  const entries: SafetensorsEntry[] = [
    ...untouched.map(([name, tensor]) => copied(base, name, tensor, job)),
    ...typed.map(({ name, value, dtype }) => ({
      name,
      dtype,
      shape: value.shape.map(Number),
      bytes: async () => bytesIn(dtype, await values.read(name)),
    })),
  ];
  const metadata = { format: "pt", ...job.metadata };
  return { "config.json": config, "model.safetensors": releasing(encodeSafetensors(entries, metadata), values) };
}

async function* releasing(chunks: AsyncIterable<Uint8Array>, values: ChangedValues): AsyncGenerator<Uint8Array, void> {
  try {
    yield* chunks;
  } finally {
    values.forget();
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Whether a value is a tensor of the checkpoint as it is. */
function isFrozen({ source }: Value): boolean {
  if (source.kind === "weight") return true;
  return source.kind === "node" && source.node.operator.type === "Cast" && source.node.inputs.every(isFrozen);
}

/** The checkpoint's tensors under the names that they have in Hugging Face's task class, each once. */
function storedNames({ tensors, model, name }: Base): readonly (readonly [string, BaseTensor])[] {
  if (!tensors) throw new InputError(`${name}: its weights are needed, but only the configuration was read`);
  const bare = ![...tensors.keys()].some((key) => key.startsWith(`${model.prefix}.`));
  const owners = new Map(Object.entries(model.otherNames).map(([own, other]) => [other, own]));
  return [...tensors].flatMap(([key, tensor]) => {
    const owner = owners.get(key);
    if (owner !== undefined) return tensors.has(owner) ? [] : [[owner, tensor] as const];
    const modern = key.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(/LayerNorm\.beta$/, "LayerNorm.bias");
    return [[bare ? `${model.prefix}.${modern}` : modern, tensor] as const];
  });
}

/** The base's tables under the names that output layers have of their own. */
const parted = (
  base: Base,
  untied: readonly (readonly [string, string])[],
): readonly (readonly [string, BaseTensor])[] =>
  untied.flatMap(([output, table]) => {
    const stored = findTensor(base, table);
    return stored ? [[output, stored] as const] : [];
  });

/** The type of a changed tensor: the asked one, or the one that it or the rest of the base has. */
function typeFor(base: Base, name: string, { dtype, trainedType }: Pick<Job, "dtype" | "trainedType">): FloatType {
  const own = typeOf(findTensor(base, name));
  const first = [...(base.tensors?.values() ?? [])].map(typeOf).find(isFloat);
  return dtype ?? trainedType ?? (own !== undefined && isFloat(own) ? own : (first ?? "float32"));
}

/** The type in which a tensor lies; undefined for one that is quantised, whose own type is gone. */
const typeOf = (tensor: BaseTensor | undefined): DType | undefined =>
  tensor && !isQuantized(tensor) ? tensor.dtype : undefined;

const isFloat = (dtype: DType | undefined): dtype is FloatType => floatTypes.some((name) => name === dtype);

/** A tensor of the base; its bytes as they are, dequantised, or converted where another type was asked for. */
function copied(base: HfModel, name: string, tensor: BaseTensor, job: Job): SafetensorsEntry {
  const { checkpoint } = base;
  if (!checkpoint) throw new InternalError(`${base.name} was opened without its weights`);
  const { shape } = tensor;
  const inType = (dtype: FloatType) => ({
    name,
    dtype,
    shape,
    bytes: async () => bytesIn(dtype, await base.read(tensor.name)),
  });
  if (isQuantized(tensor)) return inType(typeFor(base, tensor.name, job));
  const { dtype: storedType } = tensor;
  const asked = job.dtype;
  if (asked && asked !== storedType && (isFloat(storedType) || storedType === "float64")) return inType(asked);
  const bytes = async () => rawBytes((await checkpoint.read(tensor.name)).data);
  return { name, dtype: storedType, shape, bytes };
}

function bytesIn(dtype: FloatType, values: Float32Array): Uint8Array {
  if (dtype === "float32") return rawBytes(values);
  return rawBytes(dtype === "float16" ? float16FromFloat32(values) : bfloat16FromFloat32(values));
}
