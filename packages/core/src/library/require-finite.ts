import { RunError } from "../errors.ts";

/**
 * A look that what a model computed of each text are numbers: of those that are none a label would be made all the same.
 * @throws RunError naming the first text whose numbers are none
 */
export function requireFinite(computed: readonly Float32Array[], kind: "logit" | "number of the vector"): void {
  for (const [row, numbers] of computed.entries()) {
    const strange = numbers.find((value) => !Number.isFinite(value));
    if (strange !== undefined)
      throw new RunError(`text ${row + 1}: a ${kind} is ${strange}; numbers of the model grow beyond float32`);
  }
}
