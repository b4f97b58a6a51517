import { type HfModel, readBase } from "../checkpoints/hf-model.ts";
import { type ByteSource, type Folder, readAtOnce, readJson } from "../containers/folder.ts";
import { problemList } from "../containers/problem-list.ts";
import { readSafetensors } from "../containers/safetensors.ts";
import { readFloat32 } from "../containers/stored-values.ts";
import { readTensorFile } from "../containers/tensor-file.ts";
import { InputError } from "../errors.ts";
import type { MethodUse } from "../peft/method.ts";
import { methods } from "../peft/methods.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { isRecord } from "../values.ts";
import { plainTensors } from "./adapter-tensors.ts";
import type { ForeignWords, Hints } from "./foreign/foreign-format.ts";
import { foreignFormats } from "./foreign/foreign-formats.ts";
import { type PeftConfig, readPeftConfig } from "./peft-config.ts";
import { ownFields, type PetlFields, petlFieldsOf, readPetlFields } from "./petl-fields.ts";
import type { Bias } from "./trained-biases.ts";
import { unknownFields } from "./unknown-fields.ts";

/** A tensor of an adapter, wherever its values come from. */
export type AdapterTensor = Pick<StoredTensor, "name" | "dtype" | "shape">;

/** An adapter as its files hold it, not yet put on a base. Who says what its head is for decides what is known of it. */
export type AdapterFiles = PetlAdapter | PeftAdapter | ForeignAdapter | WholeModel;

/** What every layout has. */
interface AnyAdapterFiles {
  readonly folder: Folder;
  /** without the biases that PEFT trains together with an adapter */
  readonly methods: readonly MethodUse[];
  readonly bias: Bias;
  /** the base that it was made for, as its maker named it */
  readonly baseName: string | undefined;
  /** what its configuration switches on that petl does not know, in words */
  readonly remarks: readonly string[];
  /** by Hugging Face's parameter names */
  readonly tensors: ReadonlyMap<string, AdapterTensor>;
  /** One of `tensors`, in float32. */
  read(name: string): Promise<Float32Array>;
}

/** petl wrote it, in whatever layout, and says what it is for. */
export interface PetlAdapter extends AnyAdapterFiles {
  readonly writer: "petl";
  /** petl's own, PEFT's, or the name of a foreign one */
  readonly layout: string;
  readonly petl: PetlFields;
}

/** Hugging Face's PEFT wrote it. */
export interface PeftAdapter extends AnyAdapterFiles {
  readonly writer: "peft";
  readonly layout: "peft";
  readonly peft: PeftConfig;
}

/** Another program wrote it. */
export interface ForeignAdapter extends AnyAdapterFiles, ForeignWords {
  readonly writer: "foreign";
  /** the name of its format */
  readonly layout: string;
}

/** An ordinary checkpoint of the whole model, each of whose tensors is Φ, as full fine-tuning makes one. */
export interface WholeModel extends AnyAdapterFiles {
  readonly writer: "model";
  readonly layout: "checkpoint";
  readonly model: HfModel;
  readonly petl: PetlFields | undefined;
}

const configFile = "adapter_config.json";
/** What PEFT writes, and what it wrote until 2023. */
const weightsFiles = ["adapter_model.safetensors", "adapter_model.bin"];

/**
 * Opens a folder of PEFT's layout, of petl's, of another program's, or of an ordinary checkpoint of the whole model. Reads
 * the configuration and the header of the weights only.
 *
 * @throws InputError for what petl cannot read, naming the way out where there is one
 */
export async function readAdapter(folder: Folder, hints: Hints = {}): Promise<AdapterFiles> {
  const present = await folder.files();
  const config = present.includes(configFile) ? await readConfig(folder) : undefined;
  const foreign = foreignFormats.find((format) => format.recognizes(present, config));
  if (foreign) return foreign.read(folder, hints);
  if (!config) {
    if (present.includes("config.json")) return readFull(folder);
    throw new InputError(`${folder.name}: ${without(configFile, present, ", so it holds no adapter")}`);
  }
  const place = `${folder.name}/${configFile}`;
  const own = "petl_method" in config ? readPetlFields(config, place) : undefined;
  if (!own && typeof config.peft_type !== "string") {
    throw new InputError(`${place}: has neither "peft_type" nor "petl_method", so it says no method`);
  }
  if (own) return readOwn(folder, present, config, own);
  return readPeft(folder, present, config);
}

/** A folder of petl's own layout. */
async function readOwn(folder: Folder, present: Present, config: Fields, petl: PetlFields): Promise<PetlAdapter> {
  const { base_model_name_or_path: name } = config;
  return {
    writer: "petl",
    layout: "petl",
    methods: petl.methods,
    bias: "none",
    petl,
    folder,
    baseName: typeof name === "string" ? name : undefined,
    remarks: unknownFields(config, ownFields, `${folder.name}/${configFile}`),
    ...(await readWeights(folder, present)).named,
  };
}

/** A folder of PEFT's layout, which petl writes too. */
async function readPeft(folder: Folder, present: Present, config: Fields): Promise<PeftAdapter | PetlAdapter> {
  const peft = readPeftConfig(config, `${folder.name}/${configFile}`);
  const { named, file, metadata } = await readWeights(folder, present);
  const { baseName, remarks, bias } = peft;
  const read = { layout: "peft", folder, baseName, remarks, ...named } as const;
  const petl = petlFieldsOf(metadata, file);
  if (!petl) return { ...read, writer: "peft", peft, methods: [peft.method], bias };
  // a configuration that was changed since petl wrote it is right, and petl's record of the method is not
  if (!petl.written || !sameFields(petl.written, config))
    return { ...read, writer: "petl", petl, methods: [peft.method], bias };
  return { ...read, writer: "petl", petl, methods: petl.methods, bias: "none" };
}

type Present = readonly string[];
type Fields = Readonly<Record<string, unknown>>;

/** The tensors of PEFT's and petl's folders, of which the header alone is read. */
async function readWeights(folder: Folder, present: Present) {
  const file = weightsFiles.find((name) => present.includes(name));
  if (file === undefined) throw new InputError(`${folder.name}: ${without(weightsFiles[0], present)}`);
  const source = readAtOnce(await folder.open(file));
  const { tensors, metadata } = await readTensorFile(source);
  const problems = problemList(`${folder.name}/${file}`);
  const plain = plainTensors(tensors, problems);
  problems.refuse();
  return { file, metadata, named: { tensors: plain, read: reader(source, plain) } };
}

async function readConfig(folder: Folder): Promise<Fields> {
  const config = await readJson(folder, configFile);
  if (isRecord(config)) return config;
  throw new InputError(`${folder.name}/${configFile}: must be an object`);
}

/** A checkpoint of the whole model. */
async function readFull(folder: Folder): Promise<WholeModel> {
  const model = await readBase(folder);
  const [file = ""] = model.checkpoint?.files ?? [];
  const { metadata } = await readSafetensors(await folder.open(file));
  return {
    writer: "model",
    layout: "checkpoint",
    folder,
    model,
    bias: "none",
    baseName: undefined,
    remarks: [],
    methods: methods.filter(({ name }) => name === "full").map((method) => method.use({})),
    petl: petlFieldsOf(metadata, file),
    tensors: model.checkpoint?.tensors ?? new Map(),
    read: model.read,
  };
}

const reader = (source: ByteSource, tensors: ReadonlyMap<string, StoredTensor>) => async (name: string) => {
  const stored = tensors.get(name);
  if (!stored) throw new InputError(`${source.name}: has no tensor "${name}"`);
  return readFloat32(source, stored);
};

/** Whether a configuration still says what petl wrote. */
const sameFields = (written: Fields, config: Fields): boolean =>
  Object.entries(written).every(([name, value]) => JSON.stringify(value) === JSON.stringify(config[name]));

function without(file: string | undefined, present: readonly string[], consequence = ""): string {
  return `${file} is not in this folder${consequence}; its files: ${[...present].sort().join(", ") || "none"}`;
}
