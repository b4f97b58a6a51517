import type { Node, Value } from "./value.ts";

/** The nodes that outputs reach, each behind those that it reads. */
export function nodesOf(outputs: Iterable<Value>): readonly Node[] {
  const ordered: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack: Node[] = [];
  const visit = ({ source }: Value) => {
    if (source.kind === "node" && !state.has(source.node)) stack.push(source.node);
  };
  for (const output of outputs) {
    visit(output);
    for (let node = stack.at(-1); node; node = stack.at(-1)) {
      if (state.get(node) === undefined) {
        state.set(node, "open");
        for (const operand of node.inputs) visit(operand);
        continue;
      }
      stack.pop();
      if (state.get(node) === "open") {
        state.set(node, "done");
        ordered.push(node);
      }
    }
  }
  return ordered;
}

/** The leaves (inputs, weights, constants, dims) that outputs reach, each once, in the order of first use. */
export function leavesOf(outputs: readonly Value[]): readonly Value[] {
  const leaves = new Set<Value>();
  const add = (value: Value) => {
    if (value.source.kind !== "node") leaves.add(value);
  };
  for (const node of nodesOf(outputs)) node.inputs.forEach(add);
  outputs.forEach(add);
  return [...leaves];
}

/** The values that change with some others, of nodes that each stand behind those that they read; those others with them. */
export function dependents(nodes: readonly Node[], others: readonly Value[]): ReadonlySet<Value> {
  const varying = new Set(others);
  for (const node of nodes) {
    if (node.inputs.some((operand) => varying.has(operand))) for (const output of node.outputs) varying.add(output);
  }
  return varying;
}
