import { InternalError } from "../errors.ts";
import type { Node, Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

/** A graph inside a node, which is computed again and again; what its inputs don't change it reads from outside. */
export interface Body {
  /** leaves of its own, of names that the outer graph doesn't have */
  readonly inputs: readonly Value[];
  /** each made by a node that some input reaches */
  readonly outputs: readonly Value[];
  /** which output is the derivative of the first one by an input, or by a value from outside */
  readonly slopes: ReadonlyMap<Value, Value>;
}

/** What is computed inside a body, in order, and what that reads from outside. */
export function partsOf({ inputs, outputs }: Omit<Body, "slopes">): {
  readonly nodes: readonly Node[];
  readonly captured: readonly Value[];
} {
  const changing = new Set(inputs);
  const nodes = nodesOf(outputs).filter((node) => {
    const inside = node.inputs.some((operand) => changing.has(operand));
    if (inside) for (const output of node.outputs) changing.add(output);
    return inside;
  });
  if (!outputs.every((output) => output.source.kind === "node" && changing.has(output)))
    throw new InternalError("a body's outputs have to be made by nodes that its inputs reach");
  const read = nodes.flatMap((node) => node.inputs).filter((operand) => !changing.has(operand));
  return { nodes, captured: [...new Set(read)] };
}
