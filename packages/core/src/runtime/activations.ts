import { withInt8Activations } from "../graph/int8-activations.ts";
import type { Value } from "../graph/value.ts";

/** What products with weights in few bits multiply, and how a graph says so: one entry each. */
const activations = {
  float32: (values: readonly Value[]) => values,
  int8: withInt8Activations,
};

export type Activations = keyof typeof activations;
export const activationTypes = Object.keys(activations) as readonly Activations[];

/** The same graph with such activations; as they are where nothing is said. */
export const withActivations = (values: readonly Value[], type: Activations = "float32"): readonly Value[] =>
  activations[type](values);
