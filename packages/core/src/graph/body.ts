import { InternalError } from "../errors.ts";
import { substitute } from "./substitute.ts";
import type { Node, Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

/** A graph inside a node, which is computed again and again; what its inputs don't change it reads from outside. */
export interface Body {
  /** leaves of its own, of names that the outer graph doesn't have */
  readonly inputs: readonly Value[];
  /** each made by a node that some input reaches */
  readonly outputs: readonly Value[];
  /** what it reads from outside, in the order in which its node names them behind its other operands */
  readonly outside: readonly Value[];
  /**
   * which output is the derivative of the first one by an input, or by a value from outside; left out where gradients
   * compute the body once more
   */
  readonly slopes?: ReadonlyMap<Value, Value> | undefined;
}

/** Whether an attribute of a node is a graph inside it. */
export const isBody = (value: Node["attributes"][string] | undefined): value is Body =>
  typeof value === "object" && "outputs" in value;

/** The same body, which reads other values from outside. */
export function rebound(body: Body, outside: readonly Value[]): Body {
  if (outside.every((value, i) => value === body.outside[i])) return body;
  const known = new Map(body.outside.map((value, i) => [value, outside[i] ?? value]));
  const outputs = substitute(body.outputs, (leaf) => leaf, known);
  const again = (output: Value) => outputs[body.outputs.indexOf(output)] ?? output;
  const slopes = body.slopes && new Map([...body.slopes].map(([by, slope]) => [known.get(by) ?? by, again(slope)]));
  return { inputs: body.inputs, outputs, outside, slopes };
}

/** What is computed inside a body, in order, and what that reads from outside. */
export function partsOf({ inputs, outputs }: Pick<Body, "inputs" | "outputs">): {
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
