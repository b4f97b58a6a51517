import type { Node, Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

/** The same values with nodes replaced, each after those that it reads; a node stays for which there is nothing instead. */
export function rewritten(
  values: readonly Value[],
  instead: (node: Node) => readonly Value[] | undefined,
): readonly Value[] {
  const known = new Map<Value, Value>();
  const read = (value: Value) => known.get(value) ?? value;
  for (const node of nodesOf(values)) {
    const inputs = node.inputs.map(read);
    const isSame = inputs.every((value, i) => value === node.inputs[i]);
    const rebuilt = isSame ? node : node.operator.apply(inputs, node.attributes);
    const outputs = instead(rebuilt) ?? rebuilt.outputs;
    for (const [i, value] of node.outputs.entries()) known.set(value, outputs[i] ?? value);
  }
  return values.map(read);
}
