import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { directory } from "../disk/files.ts";
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
    digests.push({ file, bytes: size, sha256: await sha256(join(path, file)) });
  }
  return digests;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  } catch (error) {
    throw explainFileError(error, "read", path);
  }
  return hash.digest("hex");
}
