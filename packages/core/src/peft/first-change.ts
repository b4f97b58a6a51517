import { dependents, nodesOf } from "../graph/walk.ts";
import type { AdaptedModel } from "./adapt.ts";
import { promptLength } from "./prompted.ts";

/**
 * The path of the first linear layer in front of the last hidden states whose input from the layers below Φ changes: whether an
 * adapter changes anything shows there, most of the base's layers earlier. Undefined where none does, or behind a prompt, which lengthens rows.
 */
export function firstChanged({ forward, methods }: AdaptedModel): string | undefined {
  if (promptLength(methods) > 0) return undefined;
  const { layerInputs, hidden, phi } = forward();
  const changed = dependents(nodesOf([hidden]), phi);
  return [...layerInputs].find(([, value]) => value !== hidden && changed.has(value))?.[0];
}
