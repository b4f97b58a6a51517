import type { Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

/**
 * The same outputs computed from other values: each leaf is read as the value that `replaced` gives for it, and what nodes
 * make as the value that stands for it in `cut`.
 */
export function substitute(
  outputs: readonly Value[],
  replaced: (leaf: Value) => Value,
  cut: ReadonlyMap<Value, Value> = new Map(),
): readonly Value[] {
  const known = new Map<Value, Value>(cut);
  const read = (value: Value): Value => {
    const other = known.get(value) ?? (value.source.kind === "node" ? value : replaced(value));
    known.set(value, other);
    return other;
  };
  for (const node of nodesOf(outputs)) {
    const inputs = node.inputs.map(read);
    if (inputs.every((value, i) => value === node.inputs[i])) continue;
    const rebuilt = node.operator.apply(inputs, node.attributes).outputs;
    for (const [i, value] of node.outputs.entries()) if (!cut.has(value)) known.set(value, rebuilt[i] ?? value);
  }
  return outputs.map(read);
}
