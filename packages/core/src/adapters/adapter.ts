import { type HfModel, readBase } from "../checkpoints/hf-model.ts";
import { type ByteSource, type Folder, readJson } from "../containers/folder.ts";
import { problemList } from "../containers/problem-list.ts";
import { readSafetensors } from "../containers/safetensors.ts";
import { readFloat32 } from "../containers/stored-values.ts";
import { readTensorFile } from "../containers/tensor-file.ts";
import { InputError } from "../errors.ts";
import type { Task } from "../objectives/objectives.ts";
import type { MethodUse } from "../peft/method.ts";
import { methods } from "../peft/methods.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { plainTensors } from "./adapter-tensors.ts";
import type { ForeignLayout, Hints } from "./foreign/foreign-format.ts";
import { foreignFormats } from "./foreign/foreign-formats.ts";
import { type PeftConfig, readPeftConfig } from "./peft-config.ts";
import { ownFields, type PetlFields, petlFieldsOf, readPetlFields } from "./petl-fields.ts";
import type { Bias } from "./trained-biases.ts";
import { unknownFields } from "./unknown-fields.ts";

/** A tensor of an adapter, wherever its values come from. */
export type AdapterTensor = Pick<StoredTensor, "name" | "dtype" | "shape">;

/** An adapter as its files hold it, not yet put on a base. */
export interface Adapter {
  readonly folder: Folder;
  /** whose layout: Hugging Face PEFT's, petl's own, an ordinary checkpoint, as full fine-tuning makes one, or another's */
  readonly layout: "peft" | "petl" | "checkpoint" | ForeignLayout;
  /** without the biases that PEFT trains together with an adapter */
  readonly methods: readonly MethodUse[];
  readonly bias: Bias;
  /** the base that it was made for, as its maker named it */
  readonly baseName: string | undefined;
  /** present where petl wrote the adapter */
  readonly petl: PetlFields | undefined;
  /** what its configuration switches on that petl does not know, in words */
  readonly remarks: readonly string[];
  /** present where its adapter_config.json is PEFT's */
  readonly peft: PeftConfig | undefined;
  /** the whole model, where the adapter is an ordinary checkpoint */
  readonly checkpoint: HfModel | undefined;
  /** where a foreign layout says them: config.json's name of the architecture, and what the head is for */
  readonly modelType: string | undefined;
  readonly task: Task | undefined;
  /** what foreign layouts say of the head: its labels, and modules of the base that it brings its own of */
  readonly labelNames: readonly string[] | undefined;
  readonly savedModules: readonly string[] | undefined;
  /** by Hugging Face's parameter names */
  readonly tensors: ReadonlyMap<string, AdapterTensor>;
  /** One of `tensors`, in float32. */
  read(name: string): Promise<Float32Array>;
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
export async function readAdapter(folder: Folder, hints: Hints = {}): Promise<Adapter> {
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
  const peft = own ? undefined : readPeftConfig(config, place);
  const weightsFile = weightsFiles.find((file) => present.includes(file));
  if (weightsFile === undefined) throw new InputError(`${folder.name}: ${without(weightsFiles[0], present)}`);
  const source = await folder.open(weightsFile);
  const { tensors, metadata } = await readTensorFile(source);
  const problems = problemList(`${folder.name}/${weightsFile}`);
  const plain = plainTensors(tensors, problems);
  problems.refuse();
  const common = { folder, tensors: plain, read: reader(source, plain), checkpoint: undefined, ...unsaid };
  if (!peft) {
    const { base_model_name_or_path: name } = config;
    const baseName = typeof name === "string" ? name : undefined;
    const remarks = unknownFields(config, ownFields, place);
    return { ...common, layout: "petl", methods: own?.methods ?? [], bias: "none", baseName, petl: own, peft, remarks };
  }
  const petl = petlFieldsOf(metadata, weightsFile);
  // a configuration that was changed since petl wrote it is right, and petl's record of the method is not
  const unchanged = petl?.written && sameFields(petl.written, config);
  const recipe = unchanged
    ? { methods: petl.methods, bias: "none" as const }
    : { methods: [peft.method], bias: peft.bias };
  const { baseName, remarks } = peft;
  return { ...common, ...recipe, layout: "peft", baseName, petl, peft, remarks };
}

/** What only foreign layouts say. */
const unsaid = { remarks: [], modelType: undefined, task: undefined, labelNames: undefined, savedModules: undefined };

async function readConfig(folder: Folder): Promise<Readonly<Record<string, unknown>>> {
  const config = await readJson(folder, configFile);
  if (isRecord(config)) return config;
  throw new InputError(`${folder.name}/${configFile}: must be an object`);
}

/** A checkpoint of the whole model, each of whose tensors is Φ. */
async function readFull(folder: Folder): Promise<Adapter> {
  const model = await readBase(folder);
  const [file = ""] = model.checkpoint?.files ?? [];
  const { metadata } = await readSafetensors(await folder.open(file));
  return {
    ...unsaid,
    ...{ folder, layout: "checkpoint", bias: "none", baseName: undefined, peft: undefined, checkpoint: model },
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
const sameFields = (written: Readonly<Record<string, unknown>>, config: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(written).every(([name, value]) => JSON.stringify(value) === JSON.stringify(config[name]));

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function without(file: string | undefined, present: readonly string[], consequence = ""): string {
  return `${file} is not in this folder${consequence}; its files: ${[...present].sort().join(", ") || "none"}`;
}
