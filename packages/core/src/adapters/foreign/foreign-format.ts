import type { HfModel } from "../../checkpoints/hf-model.ts";
import type { ByteSource, Folder } from "../../containers/folder.ts";
import { readFloat32 } from "../../containers/stored-values.ts";
import type { Task } from "../../objectives/objectives.ts";
import type { Adapter } from "../../peft/adapter.ts";
import type { MethodUse } from "../../peft/method.ts";
import type { OwnBytes } from "../../tensor/own-memory.ts";
import type { StoredTensor } from "../../tensor/stored-tensor.ts";
import { transposedValues } from "../../tensor/transposed-values.ts";
import type { AdapterFiles, AdapterTensor, ForeignAdapter, PetlAdapter } from "../adapter-files.ts";
import type { PetlFields } from "../petl-fields.ts";
import type { Bias } from "../trained-biases.ts";

/** What a user says where a format's files leave it out. */
export interface Hints {
  /** LoRA's alpha */
  readonly alpha?: number | undefined;
  /** the base, of which no weight is read */
  readonly base?: HfModel | undefined;
}

/** How an adapter is called where it is written. */
interface Naming {
  readonly name: string;
  readonly baseName: string | undefined;
}

/** What a format makes of an adapter. */
export interface Encoded {
  readonly files: Readonly<Record<string, OwnBytes | string>>;
  /** what its users must know that the files cannot say */
  readonly remarks?: readonly string[];
}

/** A layout of adapters that other programs read and write: one file in adapters/foreign, one line in foreign-formats.ts. */
export interface ForeignFormat {
  /** as `layout` of what is read and `--to` name it */
  readonly name: string;
  /** one line for lists and help */
  readonly summary: string;
  /** why the base itself must be at hand to write it, where it must */
  readonly needsBase?: string;
  /** whether a folder with such files, and with such an adapter_config.json where it has one, is of this layout */
  recognizes(files: readonly string[], config: Fields | undefined): boolean;
  /** @throws InputError with everything that petl has no method for */
  read(folder: Folder, hints: Hints): Promise<AdapterFiles>;
  /** @throws InputError with everything that the format cannot say */
  encode(adapter: Adapter, naming: Naming): Encoded;
}

type Fields = Readonly<Record<string, unknown>>;

/** A tensor under petl's name, whose values are made from a foreign file's when they are asked for. */
export interface ForeignTensor {
  readonly name: string;
  readonly shape: readonly number[];
  values(): Promise<Float32Array>;
}

/** What a layout may say that the others leave to the base. */
export interface ForeignWords {
  /** config.json's name of the architecture */
  readonly modelType?: string | undefined;
  /** what the head is for, and its labels */
  readonly task?: Task | undefined;
  readonly labelNames?: readonly string[] | undefined;
  /** modules of the base that the adapter brings its own of */
  readonly savedModules?: readonly string[] | undefined;
}

/** What a layout's reader found beside the tensors. */
interface Read extends ForeignWords {
  readonly folder: Folder;
  readonly layout: string;
  readonly methods: readonly MethodUse[];
  readonly bias?: Bias;
  readonly baseName?: string | undefined;
  readonly petl?: PetlFields | undefined;
}

/** An adapter of foreign files; what petl says in them, where it wrote them, stands above what the layout says. */
export function foreignAdapter(
  { petl, folder, layout, methods, bias = "none", baseName, ...words }: Read,
  tensors: readonly ForeignTensor[],
): ForeignAdapter | PetlAdapter {
  const named = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const typed = tensors.map(({ name, shape }): [string, AdapterTensor] => [name, { name, shape, dtype: "float32" }]);
  const read = {
    folder,
    layout,
    methods,
    bias,
    baseName,
    remarks: [],
    tensors: new Map(typed),
    read: async (name: string) => (await named.get(name)?.values()) ?? new Float32Array(0),
  };
  return petl ? { ...read, writer: "petl", petl } : { ...read, ...words, writer: "foreign" };
}

/** A file's tensor under another name, its values unchanged. */
export const renamed = (source: ByteSource, stored: StoredTensor, name: string): ForeignTensor => ({
  name,
  shape: stored.shape,
  values: () => readFloat32(source, stored),
});

/** [rows, columns] -> [columns, rows] */
export function transposed({ name, shape: [rows = 1, columns = 1], values }: ForeignTensor): ForeignTensor {
  return { name, shape: [columns, rows], values: async () => transposedValues(await values(), rows, columns) };
}
