import { InputError, type Prediction, RunError } from "@petl/core";
import type { OpenModel } from "./open.ts";

/** Predictions as they come, after a look that all of them are numbers. */
export async function* finite(
  all: AsyncIterable<Prediction>,
  model: OpenModel,
): AsyncGenerator<Prediction, void, void> {
  let row = 0;
  for await (const prediction of all) {
    row++;
    const strange = prediction.logits.find((value) => !Number.isFinite(value));
    if (strange !== undefined) throw await explained(`row ${row}: a logit is ${strange}`, model);
    yield prediction;
  }
}

/** Where numbers that are none come from: the first tensor of the adapter or of the base that holds one. */
export async function explained(what: string, { base, adapted, phi }: OpenModel): Promise<Error> {
  for (const { name, offset, size } of adapted.layout) {
    const strange = phi.values.subarray(offset, offset + size).find((value) => !Number.isFinite(value));
    if (strange !== undefined) return new InputError(`the adapter's tensor "${name}" holds ${strange}`);
  }
  for (const { name, dtype, file } of base.tensors?.values() ?? []) {
    if (!["float32", "float64", "float16", "bfloat16"].includes(dtype)) continue;
    const strange = (await base.read(name)).find((value) => !Number.isFinite(value));
    if (strange !== undefined) return new InputError(`${base.name}/${file}: "${name}" holds ${strange}`);
  }
  return new RunError(`${what}, though every tensor of the model is finite; its numbers grow beyond float32`);
}
