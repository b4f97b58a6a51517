import type { AdaptedModel, HfModel, Phi } from "@petl/core";

/** The first tensor of a checkpoint that holds NaN or infinity, in words; undefined where all are finite. */
export async function strangeTensor(base: HfModel): Promise<string | undefined> {
  for (const tensor of base.tensors?.values() ?? []) {
    const { name, file } = tensor;
    if ("dtype" in tensor && !["float32", "float64", "float16", "bfloat16"].includes(tensor.dtype)) continue;
    const strange = (await base.read(name)).find((value) => !Number.isFinite(value));
    if (strange !== undefined) return `${base.name}/${file}: "${name}" holds ${strange}`;
  }
  return undefined;
}

/** The same of Φ. */
export function strangeParameter({ layout }: AdaptedModel, { values }: Phi): string | undefined {
  if (areFinite(values)) return undefined;
  for (const { name, offset, size } of layout) {
    const strange = values.subarray(offset, offset + size).find((value) => !Number.isFinite(value));
    if (strange !== undefined) return `the adapter's tensor "${name}" holds ${strange}`;
  }
  return undefined;
}

/** 0 times a number is 0, times infinity or NaN it is NaN. */
function areFinite(values: Float32Array): boolean {
  let zero = 0;
  for (let at = 0; at < values.length; at++) zero += 0 * values[at]!;
  return zero === 0;
}
