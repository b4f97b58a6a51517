import {
  type CardSubject,
  encodeAdapter,
  encodeFull,
  encodeMerged,
  encodeOnnx,
  encodeOnnxForAdapters,
  type FloatType,
  type Folder,
  heads,
  InputError,
  isReadByPeft,
  modelCard,
  namesOf,
  type OpenModel,
  objectiveOf,
  onnxAdapter,
  readJson,
  requireFolder,
  requireModel,
  requireOptions,
  type TrainingFacts,
  tokenizerFileNames,
} from "@petl/core";
import { type Chunks, writeFolderSafely } from "../disk/safe-write.ts";
import { version } from "../version.ts";

export interface SaveOptions {
  /** replace a folder that isn't empty, with all that is in it */
  readonly overwrite?: boolean;
  /** ends the writing between two tensors once aborted; nothing is left behind */
  readonly signal?: { throwIfAborted(): void };
}

/** A file to be written. */
export interface NamedFile {
  readonly name: string;
  readonly chunks: Chunks;
}

export interface SaveAdapterOptions extends SaveOptions {
  /** how it was trained, for the model card; what is left out is not on it */
  readonly training?: TrainingFacts | undefined;
}

/** What is needed to write an adapter. */
type Saved = Pick<OpenModel, "adapted" | "phi" | "labels"> & {
  readonly base: Pick<OpenModel["base"], keyof Parameters<typeof encodeFull>[0] | "folder">;
};

/**
 * Writes an adapter, in Hugging Face PEFT's layout where PEFT has such a method, or after full fine-tuning the whole
 * checkpoint with its tokenizer; beside it README.md, its model card. The folder is seen whole or not at all. Returns the
 * bytes of its weights.
 *
 * @throws InputError where a folder that isn't empty stands there
 */
export async function saveAdapter(
  model: OpenModel,
  folder: string,
  { training, ...options }: SaveAdapterOptions = {},
): Promise<number> {
  requireOptions(options);
  return writeAll(requireFolder(folder), await filesWithCard(requireModel(model), training), options);
}

export interface SaveMergedOptions extends SaveOptions {
  /** the type of all float tensors; where left out, each has the type that it has in the base */
  readonly dtype?: FloatType | undefined;
}

/**
 * Writes base and adapter as one ordinary Hugging Face checkpoint with the base's tokenizer, which computes alone what
 * both compute together. Returns the bytes of its weights.
 *
 * @throws InputError where the method cannot be merged, or a folder that isn't empty stands there
 */
export async function saveMerged(
  model: OpenModel,
  folder: string,
  { dtype, ...options }: SaveMergedOptions = {},
): Promise<number> {
  const { base, adapted, phi, labels } = requireModel(model);
  requireFolder(folder);
  requireOptions(options);
  const named = objectiveOf(adapted.goal.task).hasClasses ? namesOf(labels) : undefined;
  const files = await encodeMerged(base, { adapted, phi }, base.engine, { labels: named, dtype });
  return writeAll(folder, [...checkpointFiles(files), ...(await tokenizerFiles(base.folder))], options);
}

export interface SaveOnnxOptions extends SaveMergedOptions {
  /** whether a decoder takes and gives keys and values of earlier tokens, which transformers.js needs to go on with texts */
  readonly past?: boolean;
  /**
   * whether the adapter stays apart, its tensors being inputs of the graph: ONNX Runtime feeds them from the file that is
   * written beside it, adapter/adapter.onnx_adapter, or from one that convertAdapter makes of another adapter
   */
  readonly adapterInputs?: boolean;
}

/**
 * Writes base and adapter as one ONNX file with the configuration and the base's tokenizer beside it, as transformers.js
 * expects them: config.json, tokenizer.json, onnx/model.onnx. Its inputs are int64 input_ids, attention_mask and, where
 * the model reads them, token_type_ids, [batch, tokens] each; its output is `logits`. Methods that cannot be merged are
 * part of the file. Returns the file's bytes.
 *
 * @throws InputError where the file would be larger than 2 GB, for a past that the task or the method has not, for a type
 *   of weights that are not merged, or where a folder that isn't empty stands there
 */
export async function saveOnnx(
  model: OpenModel,
  folder: string,
  { dtype, past = false, adapterInputs = false, ...options }: SaveOnnxOptions = {},
): Promise<number> {
  const { base, adapted, phi, labels } = requireModel(model);
  requireFolder(folder);
  requireOptions(options);
  const named = objectiveOf(adapted.goal.task).hasClasses ? namesOf(labels) : undefined;
  if (adapterInputs && dtype)
    throw new InputError("`dtype` is for merged weights, and with inputs for adapters none are");
  const files = adapterInputs
    ? await encodeOnnxForAdapters(base, { adapted, phi }, { labels: named, past })
    : await encodeOnnx(base, { adapted, phi }, base.engine, { labels: named, dtype, past });
  const naming = { name: "adapter", baseName: base.name };
  const apart = adapterInputs ? onnxAdapter.encode({ adapted, phi, labels }, naming).files : {};
  return writeAll(
    folder,
    [
      { name: "config.json", chunks: [bytesOf(files["config.json"])] },
      { name: "onnx/model.onnx", chunks: [files["model.onnx"]] },
      ...Object.entries(apart).map(([name, content]) => ({ name: `adapter/${name}`, chunks: [bytesOf(content)] })),
      ...(heads[objectiveOf(adapted.goal.task).head].goesOn
        ? await promptFiles(base)
        : await tokenizerFiles(base.folder)),
    ],
    options,
  );
}

/**
 * A tokenizer's files for transformers.js, which puts nothing in front of a prompt unless tokenizer_config.json says
 * `add_bos_token`, whatever tokenizer.json itself would put there.
 */
async function promptFiles({ folder, tokenizer }: OpenModel["base"]): Promise<readonly NamedFile[]> {
  const files = await tokenizerFiles(folder);
  const config = files.find(({ name }) => name === "tokenizer_config.json");
  if (!config || !tokenizer || tokenizer.framing === 0) return files;
  const told = await readJson(folder, config.name);
  const text = `${JSON.stringify({ add_bos_token: true, ...Object(told) }, null, 2)}\n`;
  return [...files.filter((file) => file !== config), { ...config, chunks: [bytesOf(text)] }];
}

const bytesOf = (content: Uint8Array | string): Uint8Array =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;

/** An adapter's files, the configuration last, which marks it as whole. */
export async function adapterFiles({ base, adapted, phi, labels }: Saved): Promise<readonly NamedFile[]> {
  const named = objectiveOf(adapted.goal.task).hasClasses ? { labels } : {};
  const info = { baseName: base.name, petlVersion: version, ...named };
  if (isWhole(adapted)) {
    const [config, weights] = checkpointFiles(await encodeFull(base, { adapted, phi }, info));
    return [weights, ...(await tokenizerFiles(base.folder)), config];
  }
  const files = encodeAdapter({ adapted, phi }, info);
  return [
    { name: "adapter_model.safetensors", chunks: [files["adapter_model.safetensors"]] },
    { name: "adapter_config.json", chunks: [bytesOf(files["adapter_config.json"])] },
  ];
}

/** An adapter's files with its model card, which goes first. */
export async function filesWithCard(model: Saved, training?: TrainingFacts): Promise<readonly NamedFile[]> {
  const card = modelCard(cardSubject(model), training);
  return [{ name: "README.md", chunks: [bytesOf(card)] }, ...(await adapterFiles(model))];
}

/** What a model's card is about. */
export function cardSubject({ base, adapted, labels }: Pick<Saved, "base" | "adapted" | "labels">): CardSubject {
  const layout = isWhole(adapted) ? "checkpoint" : isReadByPeft(adapted) ? "peft" : "petl";
  return { adapted, labels, baseName: base.name, layout };
}

const isWhole = ({ methods }: Saved["adapted"]): boolean => methods.some(({ name }) => name === "full");

/** config.json and model.safetensors, to be written. */
export const checkpointFiles = (files: Awaited<ReturnType<typeof encodeFull>>): readonly [NamedFile, NamedFile] => [
  { name: "config.json", chunks: [bytesOf(files["config.json"])] },
  { name: "model.safetensors", chunks: files["model.safetensors"] },
];

/** What of a base's folder belongs to a model that was made from it, so that it works alone. */
const carried: readonly string[] = [
  ...tokenizerFileNames.filter((name) => name !== "config.json"),
  ...["generation_config.json", "added_tokens.json", "vocab.json", "merges.txt", "spiece.model", "tokenizer.model"],
];

/** The files of a folder's tokenizer, to be written elsewhere. */
export async function tokenizerFiles(folder: Folder): Promise<readonly NamedFile[]> {
  const names = (await folder.files()).filter((name) => carried.includes(name));
  return Promise.all(
    names.map(async (name) => {
      const source = await folder.open(name);
      return { name, chunks: [await source.read(0, source.size)] };
    }),
  );
}

/** Writes files into a folder that is seen whole or not at all. Returns the bytes of the weights among them. */
export async function writeAll(folder: string, files: readonly NamedFile[], options: SaveOptions): Promise<number> {
  let bytes = 0;
  const told = (count: number) => {
    options.signal?.throwIfAborted();
    bytes += count;
  };
  const write = async (into: { write(file: string, chunks: Chunks): Promise<void> }) => {
    for (const { name, chunks } of files) {
      await into.write(name, /\.(safetensors|onnx)$/.test(name) ? counted(chunks, told) : chunks);
    }
  };
  await writeFolderSafely(folder, write, options);
  return bytes;
}

/** The same chunks, whose lengths are told as they pass. */
export async function* counted(chunks: Chunks, tell: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    tell(chunk.length);
    yield chunk;
  }
}
