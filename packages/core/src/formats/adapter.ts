import { InputError } from "../errors.ts";
import type { MethodUse } from "../peft/method.ts";
import { methods } from "../peft/methods.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { plainTensors } from "./adapter-tensors.ts";
import { type ByteSource, type Folder, readJson } from "./folder.ts";
import { type HfModel, readBase } from "./hf-model.ts";
import { type Bias, type PeftConfig, readPeftConfig } from "./peft-config.ts";
import { type PetlFields, petlFieldsOf, readPetlFields } from "./petl-fields.ts";
import { problemList } from "./problem-list.ts";
import { readSafetensors } from "./safetensors.ts";
import { readFloat32 } from "./stored-values.ts";

/** An adapter as its files hold it, not yet put on a base. */
export interface Adapter {
  readonly folder: Folder;
  /** whose layout: Hugging Face PEFT's, petl's own, or an ordinary checkpoint, as full fine-tuning makes one */
  readonly layout: "peft" | "petl" | "checkpoint";
  /** without the biases that PEFT trains together with LoRA */
  readonly methods: readonly MethodUse[];
  readonly bias: Bias;
  /** the base that it was made for, as its maker named it */
  readonly baseName: string | undefined;
  /** present where petl wrote the adapter */
  readonly petl: PetlFields | undefined;
  /** present where its adapter_config.json is PEFT's */
  readonly peft: PeftConfig | undefined;
  /** the whole model, where the adapter is an ordinary checkpoint */
  readonly checkpoint: HfModel | undefined;
  /** by Hugging Face's parameter names */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** One of `tensors`, in float32. */
  read(name: string): Promise<Float32Array>;
}

const configFile = "adapter_config.json";
const weightsFile = "adapter_model.safetensors";

/**
 * Opens a folder of PEFT's layout, of petl's, or of an ordinary checkpoint of the whole model. Reads the configuration
 * and the header of the weights only.
 *
 * @throws InputError for what petl cannot read, naming the way out where there is one
 */
export async function readAdapter(folder: Folder): Promise<Adapter> {
  const present = await folder.files();
  if (!present.includes(configFile)) {
    if (present.includes("config.json") && !present.includes("adapter.safetensors")) return readFull(folder);
    throw new InputError(`${folder.name}: ${withoutConfig(present)}`);
  }
  const place = `${folder.name}/${configFile}`;
  const config = await readJson(folder, configFile);
  if (!isRecord(config)) throw new InputError(`${place}: must be an object`);
  if (isRecord(config.config) && !("peft_type" in config)) throw new InputError(`${place}: ${adapterHub}`);
  const own = "petl_method" in config ? readPetlFields(config, place) : undefined;
  if (!own && typeof config.peft_type !== "string") {
    throw new InputError(`${place}: has neither "peft_type" nor "petl_method", so it says no method`);
  }
  const peft = own ? undefined : readPeftConfig(config, place);
  if (!present.includes(weightsFile)) throw new InputError(`${folder.name}: ${withoutWeights(present)}`);
  const source = await folder.open(weightsFile);
  const { tensors, metadata } = await readSafetensors(source);
  const problems = problemList(`${folder.name}/${weightsFile}`);
  const plain = plainTensors(tensors, problems);
  problems.refuse();
  const common = { folder, tensors: plain, read: reader(source, plain), checkpoint: undefined };
  if (!peft) {
    const { base_model_name_or_path: name } = config;
    const baseName = typeof name === "string" ? name : undefined;
    return { ...common, layout: "petl", methods: own?.methods ?? [], bias: "none", baseName, petl: own, peft };
  }
  const petl = petlFieldsOf(metadata, weightsFile);
  // a configuration that was changed since petl wrote it is right, and petl's record of the method is not
  const unchanged = petl?.written && sameFields(petl.written, config);
  const recipe = unchanged
    ? { methods: petl.methods, bias: "none" as const }
    : { methods: [peft.method], bias: peft.bias };
  return { ...common, ...recipe, layout: "peft", baseName: peft.baseName, petl, peft };
}

/** A checkpoint of the whole model, each of whose tensors is Φ. */
async function readFull(folder: Folder): Promise<Adapter> {
  const model = await readBase(folder);
  const [file = ""] = model.checkpoint?.files ?? [];
  const { metadata } = await readSafetensors(await folder.open(file));
  return {
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

const adapterHub = "this is an adapter of AdapterHub's library, whose layout petl cannot read yet; it reads PEFT's";

function withoutWeights(present: readonly string[]): string {
  const pickles = present.filter((file) => /\.(bin|pt|pth|ckpt)$/.test(file));
  if (pickles.length === 0) return `${weightsFile} is not in this folder; its files: ${[...present].sort().join(", ")}`;
  return (
    `${weightsFile} is not in this folder, only ${pickles.join(", ")}: petl never reads pickles, because they can run ` +
    `code; convert them in Python: safetensors.torch.save_file(torch.load("adapter_model.bin", weights_only=True), "${weightsFile}")`
  );
}

function withoutConfig(present: readonly string[]): string {
  if (present.some((file) => file === "adapter.safetensors" || file === "pytorch_adapter.bin")) return adapterHub;
  const pickles = present.filter((file) => /\.(bin|pt|pth|ckpt)$/.test(file));
  if (pickles.length > 0 && !present.includes(weightsFile)) {
    return (
      `${configFile} is not in this folder, only ${pickles.join(", ")}: petl never reads pickles, because they can run ` +
      "code; load them in Python and save the adapter with PEFT's save_pretrained"
    );
  }
  const has = [...present].sort().join(", ") || "none";
  return `${configFile} is not in this folder, so it holds no adapter; its files: ${has}`;
}
