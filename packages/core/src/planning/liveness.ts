import { type Body, partsOf } from "../graph/body.ts";
import type { Node, Value } from "../graph/value.ts";
import { nodesOf } from "../graph/walk.ts";
import { fileOrder } from "../onnx/file-order.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { type Dim, evaluate } from "../tensor/shape.ts";
import { executionOrder } from "./execution-order.ts";

/** Lengths of a graph's symbols in one batch. */
export type Lengths = ReadonlyMap<string, number>;

/**
 * The most bytes of tensors in between that exist at one time while a graph is computed, in the order in which ONNX
 * Runtime computes it: a tensor exists from its node on until the last node that reads it.
 *
 * @param outside outputs that are written into memory of the caller's
 */
export function peakBytes(outputs: readonly Value[], outside: ReadonlySet<Value>, lengths: Lengths): number {
  return peakOf(executionOrder(fileOrder(nodesOf(outputs))), outputs, outside, sizes(lengths));
}

type SizeOf = (value: Value) => number;

/** The bytes of a value; each length is evaluated once. */
function sizes(lengths: Lengths): SizeOf {
  const known = new Map<Dim, number>();
  const lengthOf = (dim: Dim) => {
    const length = known.get(dim) ?? evaluate(dim, lengths) ?? 0;
    known.set(dim, length);
    return length;
  };
  return ({ dtype, shape }) => shape.reduce((product: number, dim) => product * lengthOf(dim), bytesOf[dtype]);
}

function peakOf(nodes: readonly Node[], outputs: readonly Value[], outside: ReadonlySet<Value>, size: SizeOf): number {
  const readers = new Map<Value, number>();
  const owned = (value: Value) => ownerOf(value);
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...outputs]) {
    readers.set(owned(value), (readers.get(owned(value)) ?? 0) + 1);
  }
  let [now, peak] = [0, 0];
  const made = new Set<Value>();
  for (const node of nodes) {
    const own = node.outputs.filter((value) => owned(value) === value && !outside.has(value) && readers.has(value));
    for (const value of own) {
      now += size(value);
      made.add(value);
    }
    peak = Math.max(peak, now + insideOf(node, size));
    for (const operand of node.inputs) {
      const value = owned(operand);
      const left = (readers.get(value) ?? 0) - 1;
      readers.set(value, left);
      if (left === 0 && made.delete(value)) now -= size(value);
    }
  }
  return peak;
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
function insideOf({ attributes }: Node, size: SizeOf): number {
  const body = Object.values(attributes).find(isBody);
  if (!body) return 0;
  return peakOf(executionOrder(partsOf(body).nodes), body.outputs, new Set(), size);
}

const isBody = (value: Node["attributes"][string]): value is Body => typeof value === "object" && "outputs" in value;
