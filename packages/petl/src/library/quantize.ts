import { type BlockFormat, encodeQuantized, type Quantization, readBase } from "@petl/core";
import { directory } from "../disk/files.ts";
import { type LocateOptions, locate } from "./locate.ts";
import { type SaveOptions, tokenizerFiles, writeAll } from "./save.ts";

export interface QuantizeOptions extends SaveOptions, Omit<LocateOptions, "weights" | "signal">, Partial<BlockFormat> {}

/** What was quantised, and how well. */
export interface QuantizeSummary extends Quantization {
  /** paths of the linear layers in blocks */
  readonly layers: readonly string[];
  /** paths of those whose rows are no whole number of blocks: they are as they were */
  readonly layers_left: readonly string[];
  /** of the weights, before and now */
  readonly base_bytes: number;
  readonly bytes: number;
}

/**
 * Writes a base whose stack's linear layers are held in blocks of 4 bits, or 8, each block with a scale and a zero point:
 * a base for training adapters with less memory (QLoRA's idea: Dettmers et al. 2023, arXiv:2305.14314, section 3). The
 * folder is seen whole or not at all; one tensor is in memory at a time.
 *
 * @throws InputError where nothing can be quantised, or a folder that isn't empty stands there
 */
export async function quantize(
  name: string,
  folder: string,
  { bits = 4, blockSize = 32, overwrite, signal, ...where }: QuantizeOptions = {},
): Promise<QuantizeSummary> {
  const path = await locate(name, where);
  const base = await readBase(directory(path));
  const { layers, left, weights, config } = encodeQuantized({ ...base, name }, { bits, blockSize });
  const files = [
    { name: "model.safetensors", chunks: weights },
    { name: "config.json", chunks: texts(async () => (await config()).text) },
    ...(await tokenizerFiles(directory(path))),
  ];
  const bytes = await writeAll(folder, files, { overwrite: overwrite ?? false, ...(signal && { signal }) });
  const stored = [...(base.checkpoint?.tensors.values() ?? [])];
  return {
    ...(await config()).quantization,
    layers,
    layers_left: left,
    bytes,
    base_bytes: stored.reduce((sum, { byteLength }) => sum + byteLength, 0),
  };
}

/** A text that is known only when it is asked for, to be written. */
async function* texts(text: () => Promise<string>): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(await text());
}
