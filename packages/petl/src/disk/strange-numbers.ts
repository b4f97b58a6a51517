import { type HfModel, strangeNumber } from "@petl/core";

/** The first tensor of a checkpoint that holds NaN or infinity, in words; undefined where all are finite. */
export async function strangeTensor(base: HfModel): Promise<string | undefined> {
  for (const tensor of base.tensors?.values() ?? []) {
    const { name, file } = tensor;
    if ("dtype" in tensor && !["float32", "float64", "float16", "bfloat16"].includes(tensor.dtype)) continue;
    const strange = strangeNumber(await base.read(name));
    if (strange !== undefined) return `${base.name}/${file}: "${name}" holds ${strange}`;
  }
  return undefined;
}
