import { adapt } from "../peft/adapt.ts";
import type { Base } from "../peft/base.ts";
import type { Goal } from "../peft/goal.ts";
import type { MethodUse, SizeLimit } from "../peft/method.ts";

/** How large a method can sensibly be, and why no larger. */
interface Limit {
  readonly size: number;
  readonly reason: string;
}

/** The largest sensible size of a method on a base. */
export const sizeLimits: Readonly<Record<SizeLimit, (use: MethodUse, base: Base, goal: Goal) => Limit>> = {
  "shortest side": (use, base, goal) => {
    const size = Math.max(1, shortestSide(use, base, goal));
    return { size, reason: `the shortest side of a matrix that it changes is ${size}` };
  },
  hidden: (_use, { model }) => ({
    size: model.sizes.hidden,
    reason: `the base's vectors have ${model.sizes.hidden} numbers`,
  }),
  layers: (_use, { model }) => ({ size: model.sizes.layers, reason: `the base has ${model.sizes.layers} layers` }),
  positions: (_use, { model }) => {
    const { maxTokens, trainedTokens } = model.sizes;
    const positions = Number.isFinite(maxTokens) ? maxTokens : trainedTokens;
    return { size: Math.max(1, positions - 1), reason: `the base has ${positions} positions, one of them for text` };
  },
};

/** The shortest side of all matrices that a method acts on. */
function shortestSide(use: MethodUse, base: Base, goal: Goal): number {
  const { targets, modelTensors } = adapt(base, [use], goal);
  const matrices = new Set(targets.map((path) => `${path}.weight`));
  return Math.min(...modelTensors.flatMap(({ name, shape }) => (matrices.has(name) ? shape : [])));
}
