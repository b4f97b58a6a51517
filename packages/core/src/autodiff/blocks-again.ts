import type { Node, Value } from "../graph/value.ts";

/**
 * What gradients read of a graph in blocks, computed once more: between two blocks only one value passes, which is kept;
 * what lies between two such values is computed again from the first of them. So a forward pass leaves one value a block
 * instead of all, and costs its products twice.
 * Source: Chen et al. 2016, arXiv:1604.06174, section 3
 *
 * @param nodes the graph's nodes in the order in which they are computed
 * @param varying values that change with what is differentiated by
 * @param read values that change with what a run is fed besides
 * @param reread any other value as gradients read it
 * @returns the values that stand for others
 */
export function blocksAgain(
  nodes: readonly Node[],
  varying: ReadonlySet<Value>,
  read: ReadonlySet<Value>,
  reread: (value: Value) => Value,
): ReadonlyMap<Value, Value> {
  const isInner = (value: Value) => varying.has(value) && read.has(value) && value.source.kind === "node";
  const borders = bordersOf(nodes, isInner);
  const last = borders.at(-1);
  const again = new Map<Value, Value>(borders.map((border) => [border, border]));
  if (!last) return again;
  for (const node of nodes) {
    if (node.outputs.includes(last)) break; // what is behind is still there when the gradients begin
    if (!node.outputs.some(isInner) || node.outputs.some((value) => again.has(value))) continue;
    const inputs = node.inputs.map((value) => again.get(value) ?? reread(value));
    const repeated = node.operator.apply(inputs, node.attributes).outputs;
    for (const [i, value] of node.outputs.entries()) again.set(value, repeated[i] ?? value);
  }
  return again;
}

/** The values that alone pass from all nodes before to all behind them, of those without a product in between the last. */
function bordersOf(nodes: readonly Node[], isInner: (value: Value) => boolean): readonly Value[] {
  const lastReader = new Map<Value, number>();
  for (const [at, { inputs }] of nodes.entries()) for (const value of inputs) lastReader.set(value, at);
  const borders: Value[] = [];
  const passing = new Set<Value>();
  let isBlock = true;
  for (const [at, node] of nodes.entries()) {
    isBlock ||= node.operator.products(node) !== undefined;
    for (const value of node.inputs) if (lastReader.get(value) === at) passing.delete(value);
    for (const value of node.outputs) if (isInner(value) && lastReader.has(value)) passing.add(value);
    const only = node.outputs.find((value) => passing.has(value));
    if (!only || passing.size > 1) continue;
    if (!isBlock) borders.pop();
    borders.push(only);
    isBlock = false;
  }
  return borders;
}
