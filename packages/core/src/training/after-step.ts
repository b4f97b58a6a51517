import type { AdaptedModel } from "../peft/adapt.ts";
import type { AfterStep } from "../peft/method.ts";

/** How many vectors of Φ's length the methods keep between steps; checkpoints have them behind the optimizer's. */
export const memoryOf = ({ methods }: Pick<AdaptedModel, "methods">): number =>
  methods.reduce((sum, { memory = 0 }) => sum + memory, 0);

/** Lets each method have its own after a step of the optimizer. */
export function afterStep(
  { methods, layout }: Pick<AdaptedModel, "methods" | "layout">,
  memory: readonly Float32Array[],
  made: Omit<AfterStep, "layout" | "memory">,
): void {
  let taken = 0;
  for (const use of methods) {
    const own = memory.slice(taken, taken + (use.memory ?? 0));
    taken += own.length;
    const tensors = layout.filter(({ part, method }) => part === "adapter" && method === use.name);
    use.afterStep?.({ ...made, layout: tensors, memory: own });
  }
}
