import type { StoredTensor } from "../tensor/stored-tensor.ts";
import type { ByteSource } from "./folder.ts";
import { readSafetensors, type Safetensors } from "./safetensors.ts";
import { isTorchFile, readTorchFile } from "./torch/torch-file.ts";

/** The tensors of a safetensors file, or of one that torch saved, by the ending of its name. */
export async function readTensorFile(source: ByteSource): Promise<Safetensors> {
  if (!isTorchFile(source.name)) return readSafetensors(source);
  const tensors: ReadonlyMap<string, StoredTensor> = await readTorchFile(source);
  return { tensors, metadata: {} };
}
