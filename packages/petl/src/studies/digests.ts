import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { HfModel } from "@petl/core";
import { explainFileError } from "../machine-error.ts";

export const sha256 = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");

/** SHA-256 over a base's config.json and all bytes of its weights. */
export async function weightsDigest(path: string, { checkpoint }: Pick<HfModel, "checkpoint">): Promise<string> {
  const hash = createHash("sha256");
  try {
    hash.update(await readFile(join(path, "config.json")));
    for (const file of [...(checkpoint?.files ?? [])].sort())
      for await (const chunk of createReadStream(join(path, file))) hash.update(chunk);
  } catch (error) {
    throw explainFileError(error, "read", path);
  }
  return hash.digest("hex");
}

/** SHA-256 over the stored bytes of a safetensors file's tensors, in ascending order of their names. */
export function tensorsDigest(file: Uint8Array): string {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header: Readonly<Record<string, { readonly data_offsets: readonly [number, number] }>> = JSON.parse(
    new TextDecoder().decode(file.subarray(8, 8 + length)),
  );
  const hash = createHash("sha256");
  for (const name of Object.keys(header)
    .filter((key) => key !== "__metadata__")
    .sort()) {
    const [from, to] = header[name]?.data_offsets ?? [0, 0];
    hash.update(file.subarray(8 + length + from, 8 + length + to));
  }
  return hash.digest("hex");
}
