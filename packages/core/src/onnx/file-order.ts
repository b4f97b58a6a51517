import type { Node } from "../graph/value.ts";

/**
 * A graph's nodes as they stand in the file, each behind those that it reads. Of a node's operands ONNX Runtime computes
 * first the one that stands last. So what is made of frozen tensors alone, such as a dequantised matrix, stands in front:
 * it is computed right before its product then, and not, with all others of its kind, before the first one.
 */
export function fileOrder(nodes: readonly Node[]): readonly Node[] {
  const frozen = new Set<Node>();
  for (const node of nodes) {
    const isFrozen = node.inputs.every(
      ({ source }) =>
        source.kind === "weight" || source.kind === "constant" || (source.kind === "node" && frozen.has(source.node)),
    );
    if (isFrozen) frozen.add(node);
  }
  return [...frozen, ...nodes.filter((node) => !frozen.has(node))];
}
