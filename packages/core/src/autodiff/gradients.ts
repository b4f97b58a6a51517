import { InternalError } from "../errors.ts";
import { add } from "../graph/ops/add.ts";
import { expand } from "../graph/ops/expand.ts";
import { type Node, scalar, type Value } from "../graph/value.ts";
import { dependents, leavesOf, nodesOf } from "../graph/walk.ts";
import { blocksAgain } from "./blocks-again.ts";

export interface GradientOptions {
  /** computes each block once more for its gradient; whoever compiles the graph must leave repeated nodes as they are */
  readonly recompute?: boolean | undefined;
  /** what the derivatives of the loss's elements are multiplied with before they are summed; ones where left out */
  readonly seed?: Value | undefined;
}

/**
 * Reverse-mode differentiation: graph in, graph out, nothing computed.
 * Returns ∂loss/∂w for every w, each of w's shape; zeros for a w that the loss does not depend on.
 * Only nodes between some w and the loss are differentiated, so a frozen tensor costs no gradient.
 * Where an operator can compute its output once more from what its own gradient reads, the gradients of its readers do
 * so, and the output needn't be kept from the forward pass (Chen et al. 2016, arXiv:1604.06174, section 4).
 */
export function gradients(
  loss: Value,
  wrt: readonly Value[],
  { recompute = false, seed }: GradientOptions = {},
): readonly Value[] {
  const nodes = nodesOf([loss]);
  const varying = dependents(nodes, wrt);
  const fed = leavesOf([loss]).filter((leaf) => leaf.source.kind === "input" && !wrt.includes(leaf));
  const fewer = recomputation(varying);
  const again = recompute ? blocksAgain(nodes, varying, dependents(nodes, fed), fewer) : new Map<Value, Value>();
  const reread = (value: Value) => again.get(value) ?? fewer(value);
  const received = new Map<Value, Value>([[loss, seed ?? expand(scalar(1, loss.dtype), loss.shape)]]);
  for (const node of [...nodes].reverse()) {
    const [output, ...others] = node.outputs;
    const dy = output && received.get(output);
    if (others.some((other) => received.has(other))) {
      throw new InternalError(`${node.operator.type} has a gradient for its first output only`);
    }
    if (!dy || !node.inputs.some((operand) => varying.has(operand))) continue;
    const outputs = node.outputs.map((value) => again.get(value) ?? value);
    const wanted = node.inputs.map((operand) => varying.has(operand));
    const rule = differentiate({ ...node, inputs: node.inputs.map(reread), outputs }, dy, wanted);
    for (const [index, gradient] of rule.entries()) {
      const operand = node.inputs[index];
      if (!gradient || !operand || !varying.has(operand)) continue;
      const sum = received.get(operand);
      received.set(operand, sum ? add(sum, gradient) : gradient);
    }
  }
  return wrt.map((w) => received.get(w) ?? expand(scalar(0, w.dtype), w.shape));
}

function differentiate(node: Node, dy: Value, wanted: readonly boolean[]) {
  const rule = node.operator.gradient(dy, node, {
    wanted,
    gradients: (output, seed, wrt) => gradients(output, wrt, { seed }),
  });
  if (!rule) throw new InternalError(`${node.operator.type} has no gradient`);
  return rule;
}

/**
 * A value as gradients read it: computed once more where its operator can, and is differentiated itself or reads nothing
 * but leaves, which are kept anyway.
 */
function recomputation(varying: ReadonlySet<Value>): (value: Value) => Value {
  const again = new Map<Value, Value>();
  return (value) => {
    const known = again.get(value);
    if (known) return known;
    const { source } = value;
    const first = source.kind === "node" && source.output === 0;
    const kept = first && (varying.has(value) || source.node.inputs.every((operand) => operand.source.kind !== "node"));
    const found = (kept && source.node.operator.recompute(source.node)) || value;
    again.set(value, found);
    return found;
  };
}
