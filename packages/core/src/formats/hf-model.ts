import { z } from "zod";
import { InputError } from "../errors.ts";
import { type ModelConfig, modelOf } from "../models/models.ts";
import type { Base } from "../peft/base.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { type Folder, readJson } from "./folder.ts";

/** A base model as a Hugging Face folder holds it. */
export interface HfModel extends Base {
  readonly folder: Folder;
  readonly config: ModelConfig;
  /** undefined where only the configuration was asked for */
  readonly checkpoint: Checkpoint | undefined;
}

const configFields = z.looseObject({
  model_type: z.string().optional(),
  architectures: z.array(z.string()).nullish(),
  num_labels: z.int().positive().optional(),
  id2label: z.record(z.string(), z.string()).nullish(),
  problem_type: z.string().nullish(),
});

/** Opens a folder of config.json and safetensors; with `weights: false` only its configuration, for counting. */
export async function readBase(folder: Folder, { weights = true } = {}): Promise<HfModel> {
  const parsed = configFields.safeParse(await readJson(folder, "config.json"));
  if (!parsed.success) {
    throw new InputError(
      parsed.error.issues.map(
        ({ path, message }) => `${folder.name}: config.json: ${path.join(".")}: ${message.toLowerCase()}`,
      ),
    );
  }
  const config = parsed.data;
  const model = modelOf(config);
  const checkpoint = weights ? await openCheckpoint(folder) : undefined;
  return {
    ...{ name: folder.name, folder, config, model, checkpoint },
    tensors: checkpoint?.tensors,
    async read(name) {
      if (!checkpoint) throw new InputError(`${folder.name}: "${name}" is needed, but only the configuration was read`);
      return checkpoint.readFloat32(name);
    },
  };
}
