import type { Node, Value } from "../graph/value.ts";

/**
 * The order in which ONNX Runtime computes nodes that stand in a file in the given order: from those that nobody reads it
 * follows operands backwards, the last of the file first, and computes a node once all of its operands are there. Those of
 * a body are its own alone: what it reads from outside is there already.
 */
export function executionOrder(nodes: readonly Node[]): readonly Node[] {
  const place = new Map(nodes.map((node, at) => [node, at]));
  const read = new Set(nodes.flatMap((node) => node.inputs.flatMap(madeBy)));
  const ordered: Node[] = [];
  const seen = new Set<Node>();
  const stack = nodes.filter((node) => !read.has(node)).map((node) => ({ node, leaving: false }));
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { node, leaving } = next;
    if (leaving) ordered.push(node);
    if (leaving || seen.has(node)) continue;
    seen.add(node);
    stack.push({ node, leaving: true });
    const operands = [...new Set(node.inputs.flatMap(madeBy))].filter(
      (operand) => place.has(operand) && !seen.has(operand),
    );
    operands.sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
    stack.push(...operands.map((operand) => ({ node: operand, leaving: false })));
  }
  return ordered;
}

/** The node that makes a value; none for leaves. */
const madeBy = ({ source }: Value): readonly Node[] => (source.kind === "node" ? [source.node] : []);
