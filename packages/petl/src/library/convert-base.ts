import { type ByteSource, InputError, isLlama2c, llama2cModel, llama2cTokenizer } from "@petl/core";
import { fileOrDirectory } from "../disk/files.ts";
import { checkpointFiles, type SaveOptions, writeAll } from "./save.ts";

interface ConvertBaseOptions extends SaveOptions {
  /** the tokenizer's file; where left out, the file beside the checkpoint whose name begins with "tok" */
  readonly tokenizer?: string | undefined;
}

/**
 * Writes a checkpoint of llama2.c, a file or the folder that holds it, as an ordinary Hugging Face folder. Returns what its
 * users must know.
 *
 * @throws InputError where there is no such checkpoint, or a folder that isn't empty stands there
 */
export async function convertBase(
  base: string,
  folder: string,
  { tokenizer, ...saving }: ConvertBaseOptions = {},
): Promise<readonly string[]> {
  const found = await fileOrDirectory(base);
  if (!found) throw new InputError(`"${base}" is neither a file nor a folder`);
  const files = (await found.files()).filter((name) => name.endsWith(".bin"));
  const sources = await Promise.all(files.map(found.open));
  const models = await Promise.all(sources.map(isLlama2c));
  const source = files.length === 1 ? sources[0] : sources.find((_, at) => models[at]);
  if (!source) throw new InputError(`${base}: holds no checkpoint of llama2.c, the only ones that are converted`);
  const words = tokenizer === undefined ? sources.find(({ name }) => /^tok.*\.bin$/.test(name)) : await open(tokenizer);
  const [config, weights] = checkpointFiles(await llama2cModel(source));
  const texts = Object.entries(words && words !== source ? await llama2cTokenizer(words) : {});
  const described = texts.map(([name, text]) => ({ name, chunks: [new TextEncoder().encode(text)] }));
  await writeAll(folder, [weights, ...described, config], saving);
  return texts.length > 0 ? [] : ["no tokenizer was found, so rows must come as tokens; `tokenizer` names one"];
}

async function open(path: string): Promise<ByteSource> {
  const file = await fileOrDirectory(path);
  const [name] = (await file?.files()) ?? [];
  if (!file || name === undefined) throw new InputError(`"${path}" is no file`);
  return file.open(name);
}
