import { createHash } from "node:crypto";
import type { ExampleSet, Folder, StopSignal } from "@petl/core";
import { throwIfStopped, tokenizerFilesOf, writtenRows } from "@petl/core";
import { isWeights, pieceBytes } from "./base-digest.ts";

const belongs = (name: string) => isWeights(name) || name === "config.json";

/**
 * SHA-256 of a base's config.json and of every byte of its weights: changes where one weight does. Costs what reading
 * the files does, a second for about half a gigabyte.
 * @throws the signal's reason
 */
export async function weightsDigest(folder: Folder, signal?: StopSignal): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await folder.files()).filter(belongs)) {
    const source = await folder.open(name);
    hash.update(`${name} ${source.size}\n`);
    for (let start = 0; start < source.size; start += pieceBytes) {
      throwIfStopped(signal);
      hash.update(await source.read(start, Math.min(pieceBytes, source.size - start)));
    }
  }
  return hash.digest("hex");
}

/** SHA-256 of what makes a base's tokens of text: changes where one character of its tokenizer's files does. */
export async function tokenizerDigest(folder: Folder): Promise<string> {
  const hash = createHash("sha256");
  for (const [name, text = ""] of Object.entries(await tokenizerFilesOf(folder)))
    if (name !== "config.json") hash.update(JSON.stringify([name, text])); // it belongs to the weights' digest
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

/** SHA-256 of the rows of sets, in their order: changes where one of them does. @throws the signal's reason */
export async function rowsDigest(sets: readonly (ExampleSet | undefined)[], signal?: StopSignal): Promise<string> {
  const hash = createHash("sha256");
  for (const set of sets) {
    hash.update("set\n");
    for (const bytes of writtenRows(set?.examples ?? [])) {
      hash.update(bytes);
      await new Promise((resolve) => setImmediate(resolve)); // in which the process hears what it is told
      throwIfStopped(signal);
    }
  }
  return hash.digest("hex");
}
