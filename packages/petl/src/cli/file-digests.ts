import { join } from "node:path";
import { directory } from "../disk/files.ts";
import { fileSha256 } from "../disk/sha256.ts";
import { explainFileError } from "../machine-error.ts";

export interface FileDigest {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

const isModelFile =
  /^((adapter_)?config\.json|.*\.safetensors(\.index\.json)?|tokenizer.*|vocab\..*|merges\.txt|special_tokens_map\.json)$/;

/** Size and SHA-256 of a folder's files that make up a model: configurations, weights and tokenizer. */
export async function fileDigests(path: string): Promise<readonly FileDigest[]> {
  const folder = directory(path);
  const digests: FileDigest[] = [];
  for (const file of await folder.files()) {
    if (!isModelFile.test(file)) continue;
    const { size } = await folder.open(file);
    digests.push({ file, bytes: size, sha256: await digestOf(join(path, file)) });
  }
  return digests;
}

const digestOf = (path: string): Promise<string> =>
  fileSha256(path).catch((error: unknown) => {
    throw explainFileError(error, "read", path);
  });
