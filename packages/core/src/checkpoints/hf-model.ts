import { z } from "zod";
import { type Folder, readJson } from "../containers/folder.ts";
import { InputError, schemaProblems } from "../errors.ts";
import { type ModelConfig, modelOf } from "../models/models.ts";
import type { Base } from "../peft/base.ts";
import { isQuantized } from "../tensor/quantized-tensor.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { type Quantization, readQuantization } from "./quantization.ts";
import { joinQuantized, readQuantized } from "./quantized-tensors.ts";

/** A base model as a Hugging Face folder holds it. */
export interface HfModel extends Base {
  readonly folder: Folder;
  readonly config: ModelConfig;
  /** how the matrices of its stack are held; undefined where they are as they were trained */
  readonly quantization: Quantization | undefined;
  /** undefined where only the configuration was asked for */
  readonly checkpoint: Checkpoint | undefined;
}

const configFields = z.looseObject({
  model_type: z.string().optional(),
  architectures: z.array(z.string()).nullish(),
  num_labels: z.int().positive().optional(),
  id2label: z.record(z.string(), z.string()).nullish(),
  problem_type: z.string().nullish(),
  quantization_config: z.unknown().optional(),
});

/** Each layer has tensors of its own, so that a configuration of more layers is not of these weights. */
function refuseLayers(layers: number, checkpoint: Checkpoint | undefined, name: string): void {
  if (!checkpoint || layers <= checkpoint.tensors.size) return;
  throw new InputError(
    `${name}: config.json: ${layers} layers, but the weights are ${checkpoint.tensors.size} tensors`,
  );
}

/** Opens a folder of config.json and safetensors; with `weights: false` only its configuration, for counting. */
export async function readBase(folder: Folder, { weights = true } = {}): Promise<HfModel> {
  const parsed = configFields.safeParse(await readJson(folder, "config.json"));
  if (!parsed.success) {
    throw new InputError(schemaProblems(parsed.error.issues, `${folder.name}: config.json: `));
  }
  const config = parsed.data;
  const model = modelOf(config);
  const quantization = readQuantization(config.quantization_config, `${folder.name}: config.json`);
  const checkpoint = weights ? await openCheckpoint(folder) : undefined;
  refuseLayers(model.sizes.layers, checkpoint, folder.name);
  const stored = checkpoint?.tensors;
  const tensors =
    stored && quantization
      ? joinQuantized(stored, quantization, model.conventions.transposed ?? false, folder.name)
      : stored;
  return {
    name: folder.name,
    folder,
    config,
    quantization,
    model,
    checkpoint,
    tensors,
    async read(name) {
      if (!checkpoint) throw new InputError(`${folder.name}: "${name}" is needed, but only the configuration was read`);
      const tensor = tensors?.get(name);
      return tensor && isQuantized(tensor) ? readQuantized(checkpoint, tensor) : checkpoint.readFloat32(name);
    },
  };
}
