import { InputError, type OpenModel, type Prediction, RunError } from "@petl/core";
import { strangeTensor } from "../disk/strange-numbers.ts";

/** Predictions as they come, after a look that all of them are numbers. */
export async function* finite(all: AsyncIterable<Prediction>): AsyncGenerator<Prediction, void, void> {
  let row = 0;
  for await (const prediction of all) {
    row++;
    const strange = prediction.logits.find((value) => !Number.isFinite(value));
    if (strange !== undefined) throw new RunError(`row ${row}: a logit is ${strange}`);
    yield prediction;
  }
}

/** Where numbers that are none come from: the first tensor of the base that holds one. */
export async function explained(error: RunError, { base }: OpenModel): Promise<Error> {
  const source = await strangeTensor(base);
  if (source !== undefined) return new InputError(source);
  return new RunError(`${error.message}, though every tensor of the model is finite; its numbers grow beyond float32`);
}
