import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { OpenBase } from "../library/open-base.ts";

/** SHA-256 of a base's weights as they stand on the disk. */
export async function weightsDigest({ path, checkpoint }: OpenBase): Promise<string> {
  const hash = createHash("sha256");
  for (const file of checkpoint?.files ?? []) hash.update(await readFile(join(path, file)));
  return hash.digest("hex");
}
