import { z } from "zod";
import { type ByteSource, type Folder, readJson } from "../../../containers/folder.ts";
import { readTensorFile } from "../../../containers/tensor-file.ts";
import { InputError, schemaProblems } from "../../../errors.ts";
import { modelOf } from "../../../models/models.ts";
import type { StoredTensor } from "../../../tensor/stored-tensor.ts";

const fields = z.looseObject({
  config: z.looseObject({ architecture: z.string().nullish() }),
  model_type: z.string(),
  model_class: z.string().nullish(),
  model_name: z.string().nullish(),
  name: z.string(),
  version: z.string().nullish(),
});

/** A tensor with the file that holds it. */
export interface Held {
  readonly source: ByteSource;
  readonly stored: StoredTensor;
}

/** What an adapter's folder of AdapterHub's library holds. */
export interface HubFiles extends Readonly<z.infer<typeof fields>> {
  /** by the module's path and the tensor's name, as `bert.encoder.layer.0.output.adapter_up.weight` */
  readonly tensors: ReadonlyMap<string, Held>;
  /** the head's, by the names that the library gives them */
  readonly head: ReadonlyMap<string, Held>;
  readonly headConfig: unknown;
}

/** In this order, where several are there. */
const adapterFiles = ["adapter.safetensors", "pytorch_adapter.bin"];
const headFiles = ["model_head.safetensors", "pytorch_model_head.bin"];

export const isHubFile = (name: string): boolean => adapterFiles.includes(name);

/** @throws InputError where a file is missing or adapter_config.json is not the library's */
export async function readHubFiles(folder: Folder): Promise<HubFiles> {
  const place = `${folder.name}/adapter_config.json`;
  const parsed = fields.safeParse(await readJson(folder, "adapter_config.json"));
  if (!parsed.success) {
    throw new InputError(schemaProblems(parsed.error.issues, `${place}: `));
  }
  const present = await folder.files();
  const stored = await readFirst(folder, adapterFiles);
  if (stored.size === 0) throw new InputError(`${folder.name}: holds none of ${adapterFiles.join(", ")}`);
  const { name, model_type: modelType } = parsed.data;
  const { prefix } = modelOf({ model_type: modelType });
  const renamed = [...stored].map(([key, held]) => [plainName(key, name, prefix), held] as const);
  const headConfig = present.includes("head_config.json") ? await readJson(folder, "head_config.json") : undefined;
  return { ...parsed.data, tensors: new Map(renamed), head: await readFirst(folder, headFiles), headConfig };
}

async function readFirst(folder: Folder, names: readonly string[]): Promise<ReadonlyMap<string, Held>> {
  const present = await folder.files();
  const file = names.find((name) => present.includes(name));
  if (file === undefined) return new Map();
  const source = await folder.open(file);
  const { tensors } = await readTensorFile(source);
  return new Map([...tensors].map(([key, stored]) => [key, { source, stored }]));
}

/** Modules that hold adapters by their names; the names of the library's first version come last. */
const holders =
  "adapters|loras|prefix_tunings|prefix_gates|invertible_adapters|prompt_tunings|shared_parameters|refts|" +
  "(?:attention|layer)_text_(?:task|lang)_adapters|invertible_lang_adapters";

/** Without the holder and the adapter's name, and with the root that a bare base leaves out. */
function plainName(key: string, adapter: string, prefix: string): string {
  const held = new RegExp(`\\.(?:${holders})\\.`).exec(key);
  const behind = held ? key.slice(held.index + held[0].length) : "";
  const plain =
    held && behind.startsWith(`${adapter}.`) ? `${key.slice(0, held.index)}${behind.slice(adapter.length)}` : key;
  return plain.startsWith(`${prefix}.`) ? plain : `${prefix}.${plain}`;
}
