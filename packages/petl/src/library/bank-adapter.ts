import { createHash } from "node:crypto";
import { askedOnce, type Folder, InputError, loadAdapter, type OpenBase, type OpenModel } from "@petl/core";
import { directory } from "../disk/files.ts";

/** An adapter's folder and what its content is. */
export interface BankAdapter {
  readonly folder: string;
  /** SHA-256 of its files */
  readonly digest: string;
  /** of its tensors in memory */
  readonly bytes: number;
}

/**
 * Reads an adapter for a bank.
 * @throws InputError for pickled weights, which strangers' files may not be, for numbers that are none, and for what
 *   does not fit the base
 */
export async function readBankAdapter(
  base: OpenBase,
  folder: string,
): Promise<BankAdapter & { readonly model: OpenModel }> {
  const files = withoutPickles(askedOnce(directory(folder)));
  const digest = await digestOf(files);
  const model = await loadAdapter(base, files);
  return { folder, digest, bytes: model.phi.values.byteLength, model };
}

/** Throws where a folder no longer holds what was loaded from it. */
export function refuseChanged(loaded: BankAdapter, now: BankAdapter): void {
  if (loaded.digest === now.digest) return;
  throw new InputError(`${loaded.folder} has changed since the adapter was loaded; load it again`);
}

/** The files of an adapter's folder that it is read from; records of the run that made it are none. */
export const contentsIn = (names: readonly string[]): readonly string[] =>
  names.filter((name) => /\.(safetensors|json|txt|model|gguf|onnx_adapter)$/.test(name) && name !== "run.json");

/**
 * SHA-256 of an adapter's files by their names, which is its identity.
 * @throws InputError where all weights are pickled
 */
export const adapterDigest = (path: string): Promise<string> => digestOf(directory(path));

const pickle = /\.(bin|pt|pth|ckpt|pkl|pickle)$/i;

/** The same folder, whose pickles nobody reads. */
const withoutPickles = (folder: Folder): Folder => ({
  ...folder,
  async open(file) {
    refusePickle(pickle.test(file) ? file : undefined);
    return folder.open(file);
  },
});

function refusePickle(file: string | undefined): void {
  if (file !== undefined)
    throw new InputError(`"${file}" is a pickle, which a bank does not read; give the weights as safetensors`);
}

async function digestOf(folder: Folder): Promise<string> {
  const names = await folder.files();
  const hasOthers = names.some((name) => /\.(safetensors|gguf|onnx_adapter)$/.test(name));
  refusePickle(hasOthers ? undefined : names.find((name) => pickle.test(name)));
  const hash = createHash("sha256");
  for (const name of contentsIn(names)) {
    const file = await folder.open(name);
    hash.update(`${name} ${file.size}\n`);
    for (let at = 0; at < file.size; at += pieceBytes)
      hash.update(await file.read(at, Math.min(pieceBytes, file.size - at)));
  }
  return hash.digest("hex");
}

const pieceBytes = 2 ** 24;
