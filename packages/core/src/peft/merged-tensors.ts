import { refuse } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import type { Base } from "./base.ts";
import { build } from "./forward.ts";
import type { Goal } from "./goal.ts";
import type { MethodUse } from "./method.ts";

/**
 * Graphs of the base's tensors as methods change them, by name.
 * @throws InputError where a method's work is no change of the base's weights
 */
export function mergedTensors(base: Base, methods: readonly MethodUse[], goal: Goal): Readonly<Record<string, Value>> {
  const { untied, merges, parameters, unmergeable } = build(base, methods, goal).building;
  refuse(
    [...unmergeable].map((name) => `${name} cannot be merged: what it computes is no change of the base's weights`),
  );
  const unfrozen = [...parameters].filter(([, { parameter }]) => parameter.part !== "adapter");
  return Object.fromEntries([
    ...untied,
    ...unfrozen.map(([name, { value }]) => [name, value] as const),
    ...merges.flatMap((merge) => merge()),
  ]);
}
