import { z } from "zod";
import { type ByteSource, type Folder, isPlainName, readJson } from "../containers/folder.ts";
import { quote } from "../containers/json.ts";
import { problemList } from "../containers/problem-list.ts";
import { readSafetensors } from "../containers/safetensors.ts";
import { readFloat32, readTensor } from "../containers/stored-values.ts";
import { InputError, refuse, suggestion } from "../errors.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";

/** A base model's weights where they lie, in one safetensors file or in several. */
export interface Checkpoint {
  readonly folder: Folder;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The safetensors files that hold them. */
  readonly files: readonly string[];
  /** A tensor as float32; see readFloat32 of stored-values.ts. */
  readFloat32(name: string): Promise<Float32Array>;
  read(name: string): Promise<HostTensor>;
}

const wholeFile = "model.safetensors";
const indexFile = "model.safetensors.index.json";

/**
 * Opens `model.safetensors`, or where there is none the shards that `model.safetensors.index.json` lists.
 * Reads the headers only.
 *
 * @throws InputError with every missing shard and tensor; for a folder of pickles, with the way to convert them
 */
export async function openCheckpoint(folder: Folder): Promise<Checkpoint> {
  const present = await folder.files();
  if (present.includes(wholeFile)) {
    const source = await folder.open(wholeFile);
    const { tensors } = await readSafetensors(source);
    const sourceOf = new Map([...tensors.keys()].map((name) => [name, source]));
    return checkpoint(folder, [wholeFile], tensors, sourceOf);
  }
  if (present.includes(indexFile)) return openShards(folder, present);
  throw new InputError(`${folder.name}: ${withoutWeights(present)}`);
}

async function openShards(folder: Folder, present: readonly string[]): Promise<Checkpoint> {
  const place = `${folder.name}/${indexFile}`;
  const shardOf = readWeightMap(await readJson(folder, indexFile), place);
  const files = [...new Set(shardOf.values())].sort();
  refuse(
    files.filter((file) => !present.includes(file)).map((file) => `${place}: its shard ${quote(file)} is missing`),
  );

  const broken: string[] = [];
  const shards = new Map<string, Shard>();
  for (const file of files) {
    const source = await folder.open(file);
    shards.set(file, { source, tensors: await gathered(broken, readSafetensors(source)) });
  }
  refuse(broken);

  const missing = problemList(place);
  const tensors = new Map<string, StoredTensor>();
  const sourceOf = new Map<string, ByteSource>();
  for (const [name, file] of shardOf) {
    const { source, tensors: stored } = shards.get(file)!;
    const tensor = stored.get(name);
    if (!tensor) missing.add(`tensor ${quote(name)} is not in ${quote(file)}, where the index says it is`);
    else {
      tensors.set(name, tensor);
      sourceOf.set(name, source);
    }
  }
  missing.refuse();
  return checkpoint(folder, files, tensors, sourceOf);
}

interface Shard {
  readonly source: ByteSource;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** The tensors of a shard; where it is bad, none, and its problems join the others. */
async function gathered(
  problems: string[],
  shard: ReturnType<typeof readSafetensors>,
): Promise<ReadonlyMap<string, StoredTensor>> {
  try {
    return (await shard).tensors;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push(...error.problems);
    return new Map();
  }
}

const shardName = z
  .string()
  .refine(
    (name) => isPlainName(name) && name.endsWith(".safetensors"),
    "must be a plain file name that ends in .safetensors",
  );

const shardIndex = z.object({ weight_map: z.record(z.string(), shardName) });

/** Which shard holds a tensor, by the tensor's name. */
function readWeightMap(value: unknown, place: string): ReadonlyMap<string, string> {
  const parsed = shardIndex.safeParse(value);
  if (parsed.success) return new Map(Object.entries(parsed.data.weight_map));
  throw new InputError(
    parsed.error.issues.map(
      ({ path, message }) =>
        `${place}: ${path.map((key) => quote(String(key))).join(" of ")}: ${message.toLowerCase()}`,
    ),
  );
}

function checkpoint(
  folder: Folder,
  files: readonly string[],
  tensors: ReadonlyMap<string, StoredTensor>,
  sourceOf: ReadonlyMap<string, ByteSource>,
): Checkpoint {
  const find = (name: string): [ByteSource, StoredTensor] => {
    const stored = tensors.get(name);
    const source = sourceOf.get(name);
    if (stored && source) return [source, stored];
    throw new InputError(`${folder.name}: has no tensor ${quote(name)}${suggestion(name, tensors.keys())}`);
  };
  return {
    folder,
    tensors,
    files,
    readFloat32: async (name) => readFloat32(...find(name)),
    read: async (name) => readTensor(...find(name)),
  };
}

/** Why a folder without safetensors weights can't be opened, and what to do. */
function withoutWeights(present: readonly string[]): string {
  const missing = `neither ${wholeFile} nor ${indexFile} is in this folder`;
  const pickles = present.filter((file) => /^pytorch_model.*\.bin(\.index\.json)?$/.test(file));
  if (pickles.length > 0) {
    return (
      `${missing}, only ${pickles.join(", ")}: petl never reads pickles, because they can run code; convert them in Python: ` +
      `AutoModel.from_pretrained("<folder>").save_pretrained("<new folder>", safe_serialization=True)`
    );
  }
  if (present.some((file) => /^adapter(_model)?\.safetensors$/.test(file))) {
    return `${missing}; this is an adapter, which goes on top of a base model`;
  }
  return `${missing}; its files: ${[...present].sort().join(", ") || "none"}`;
}
