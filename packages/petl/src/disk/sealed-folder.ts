import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError, parsedJson } from "@petl/core";
import { z } from "zod";
import { directory, namesIn } from "./files.ts";
import { type NewFolder, writeFolderSafely } from "./safe-write.ts";

const manifestName = "manifest.json";
const manifestOf = z.looseObject({
  facts: z.unknown(),
  files: z.record(z.string(), z.strictObject({ bytes: z.int().nonnegative(), sha256: z.string() })),
});

/**
 * Writes a folder, whole or not at all, with a manifest of what is to be known of it and of its files' sizes and
 * SHA-256. `write` returns the facts; what stood there is replaced.
 */
export async function writeSealedFolder(path: string, write: (folder: NewFolder) => Promise<unknown>): Promise<void> {
  let facts: unknown;
  const manifest = { name: manifestName, content: (files: unknown) => ({ facts, files }) };
  const fill = async (folder: NewFolder) => {
    facts = await write(folder);
  };
  await writeFolderSafely(path, fill, { overwrite: true, manifest });
}

/**
 * The facts of a sealed folder, once every byte of it agrees with its manifest; undefined where there is no such folder.
 * @throws InputError where it is damaged
 */
export async function openSealedFolder<T>(path: string, facts: z.ZodType<T>): Promise<T | undefined> {
  if ((await namesIn(path)).length === 0) return undefined;
  const damaged = (what: string) => new InputError(`"${path}" is damaged: ${what}; remove it, and it is made again`);
  const source = await directory(path)
    .open(manifestName)
    .catch(() => undefined);
  const text = source && new TextDecoder().decode(await source.read(0, source.size));
  const manifest = manifestOf.safeParse(parsedJson(text ?? ""));
  const known = facts.safeParse(manifest.data?.facts);
  if (!manifest.success || !known.success) throw damaged(`its ${manifestName} is missing or of another kind`);
  for (const [name, { bytes, sha256 }] of Object.entries(manifest.data.files)) {
    const size = await stat(join(path, name)).then(
      ({ size: found }) => found,
      () => undefined,
    );
    if (size === undefined) throw damaged(`"${name}" is missing`);
    if (size !== bytes) throw damaged(`"${name}" has ${size} bytes, not ${bytes}`);
    if ((await sha256Of(join(path, name))) !== sha256) throw damaged(`the bytes of "${name}" have changed`);
  }
  return known.data;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
