import type { Value } from "../graph/value.ts";
import { project } from "./linear.ts";
import type { Scope } from "./scope.ts";

interface OutputLayer {
  readonly vocabulary: number;
  readonly hidden: number;
  /** the whole name of the table of embeddings, where it is the layer's matrix too; undefined where it has its own */
  readonly table: string | undefined;
}

/** A language model's output layer, a linear layer without biases; a site where methods may act. */
export function outputLayer(scope: Scope, x: Value, { vocabulary, hidden, table }: OutputLayer): Value {
  const shape = [vocabulary, hidden];
  const weight = table === undefined ? scope.parameter("weight", shape, "weight") : scope.tied("weight", shape, table);
  const apply = (input: Value) => project(input, weight);
  return scope.hooks.act("linear", {
    path: scope.path,
    layer: scope.layer,
    x,
    y: apply(x),
    apply,
    weight,
    bias: undefined,
    inSize: hidden,
    outSize: vocabulary,
    transposed: false,
    output: true,
  });
}
