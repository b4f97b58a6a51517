import { isBody, partsOf } from "../graph/body.ts";
import type { Node, Value } from "../graph/value.ts";
import { nodesOf } from "../graph/walk.ts";
import { fileOrder } from "../onnx/file-order.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { type Dim, lengthUnder } from "../tensor/shape.ts";
import { executionOrder } from "./execution-order.ts";

/** Lengths of a graph's symbols in one batch. */
export type Lengths = ReadonlyMap<string, number>;

/**
 * The most bytes of tensors in between that exist at one time while a graph is computed, in the order in which ONNX
 * Runtime computes it: a tensor exists from its node on until the last node that reads it.
 *
 * @param outside outputs that are written into memory of the caller's
 * @returns the bytes for the lengths of a batch
 */
export function peakBytes(outputs: readonly Value[], outside: ReadonlySet<Value>): (lengths: Lengths) => number {
  const peak = peakOf(executionOrder(fileOrder(nodesOf(outputs))), outputs, outside);
  return (lengths) => peak(sizes(lengths));
}

type SizeOf = (value: Value) => number;

/** The bytes of a value; each length is evaluated once. */
function sizes(lengths: Lengths): SizeOf {
  const known = new Map<Dim, number>();
  const lengthOf = (dim: Dim) => {
    const length = known.get(dim) ?? lengthUnder(dim, lengths) ?? 0;
    known.set(dim, length);
    return length;
  };
  return ({ dtype, shape }) => shape.reduce((product: number, dim) => product * lengthOf(dim), bytesOf[dtype]);
}

/** What a node makes, what is inside of it, and what is read for the last time by it. */
interface Moment {
  readonly made: readonly Value[];
  readonly inside: (size: SizeOf) => number;
  readonly freed: readonly Value[];
}

function peakOf(
  nodes: readonly Node[],
  outputs: readonly Value[],
  outside: ReadonlySet<Value>,
): (size: SizeOf) => number {
  const last = new Map<Value, Node | undefined>();
  for (const node of nodes) for (const operand of node.inputs) last.set(ownerOf(operand), node);
  for (const output of outputs) last.set(ownerOf(output), undefined);
  const held = (value: Value) => ownerOf(value) === value && !outside.has(value) && last.has(value);
  const known = new Set<Value>();
  const moments = nodes.map((node): Moment => {
    const made = node.outputs.filter(held);
    for (const value of made) known.add(value);
    const read = new Set(node.inputs.map(ownerOf));
    return {
      made,
      inside: insideOf(node),
      freed: [...read].filter((value) => known.has(value) && last.get(value) === node),
    };
  });
  return (size) => {
    let [now, peak] = [0, 0];
    for (const { made, inside, freed } of moments) {
      for (const value of made) now += size(value);
      peak = Math.max(peak, now + inside(size));
      for (const value of freed) now -= size(value);
    }
    return peak;
  };
}

/** Operators that give their operand another shape, and no bytes of their own. */
const reshaping: readonly string[] = ["Reshape", "Identity"];

/** The value whose bytes a value has. */
function ownerOf(value: Value): Value {
  let owner = value;
  while (owner.source.kind === "node" && reshaping.includes(owner.source.node.operator.type)) {
    const [operand] = owner.source.node.inputs;
    if (!operand) break;
    owner = operand;
  }
  return owner;
}

/** What exists at most inside a node that holds a graph. */
function insideOf({ attributes }: Node): (size: SizeOf) => number {
  const body = Object.values(attributes).find(isBody);
  return body ? peakOf(executionOrder(partsOf(body).nodes), body.outputs, new Set()) : () => 0;
}
