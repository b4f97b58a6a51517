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
  const files = askedOnce(directory(folder));
  const digest = await digestOf(files);
  const model = await loadAdapter(base, files);
  return { folder, digest, bytes: model.phi.values.byteLength, model };
}

/** Throws where a folder no longer holds what was loaded from it. */
export function refuseChanged(loaded: BankAdapter, now: BankAdapter): void {
  if (loaded.digest === now.digest) return;
  throw new InputError(`${loaded.folder} has changed since the adapter was loaded; load it again`);
}

/**
 * SHA-256 of an adapter's files by their names, which is its identity; records of the run that made it do not count.
 * @throws InputError where the weights are pickled
 */
export const adapterDigest = (path: string): Promise<string> => digestOf(directory(path));

async function digestOf(folder: Folder): Promise<string> {
  const names = await folder.files();
  const weights = names.filter((name) => name.endsWith(".safetensors"));
  const pickled = names.find((name) => /\.(bin|pt|pth|ckpt|pkl|pickle)$/i.test(name));
  if (weights.length === 0 && pickled !== undefined)
    throw new InputError(`"${pickled}" is a pickle, which a bank does not read; give the weights as safetensors`);
  const hash = createHash("sha256");
  for (const name of names.filter((each) => /\.(safetensors|json)$/.test(each) && each !== "run.json")) {
    const file = await folder.open(name);
    hash.update(`${name} ${file.size}\n`);
    for (let at = 0; at < file.size; at += pieceBytes)
      hash.update(await file.read(at, Math.min(pieceBytes, file.size - at)));
  }
  return hash.digest("hex");
}

const pieceBytes = 2 ** 24;
