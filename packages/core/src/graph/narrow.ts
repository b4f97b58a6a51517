import type { Dim } from "../tensor/shape.ts";
import { firstOutput } from "./operator.ts";
import { Slice, slice, sliceRange } from "./ops/slice.ts";
import { dims, entriesOf, type Node, type Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

/** A range of one axis: all that some reader needs of a value. */
interface Range {
  readonly axis: number;
  readonly start: Dim;
  readonly end: Dim;
  readonly length: Dim;
}

/** What of each value is computed: a range where all its readers need the same one, the whole where it is undefined. */
type Demands = ReadonlyMap<Value, Range | undefined>;

/**
 * What to read of each output instead: the same values without the rows that a Slice throws away later: where a head reads one row of the last layer, that
 * row's query, attention and feed-forward are computed and no others. Exact: each element that remains is computed from
 * the same operands by the same operators (a product of one row may sum in another order: kernels have a way of their
 * own for vectors).
 *
 * @param outputs all that one graph gives: what is made anew for one of them and stays for another would be computed twice
 */
export function narrow(outputs: readonly Value[]): (output: Value) => Value {
  const nodes = nodesOf(outputs);
  const demands = demandsOf(nodes, outputs);
  const narrowed = new Map<Value, Value>();
  const read = (value: Value, wanted: Range | undefined): Value => {
    const known = narrowed.get(value) ?? value;
    if (!wanted || demands.get(value)) return known;
    return value.source.kind === "dims"
      ? dims(entriesOf(value).map((entry, i) => (i === wanted.axis ? wanted.length : entry)))
      : slice(known, wanted.axis, wanted.start, wanted.end);
  };
  for (const node of nodes) {
    const [x] = node.inputs;
    const demand = demands.get(firstOutput(node));
    if (x && node.operator === Slice && demands.get(x) && !demand) {
      narrowed.set(firstOutput(node), read(x, undefined)); // its operand is already no more than the slice
      continue;
    }
    const ranges = passedOn(node, demand) ?? [];
    const inputs = node.inputs.map((operand, i) => read(operand, ranges[i]));
    if (inputs.every((value, i) => value === node.inputs[i])) continue;
    const rebuilt = node.operator.apply(inputs, node.attributes).outputs;
    for (const [i, value] of node.outputs.entries()) narrowed.set(value, rebuilt[i] ?? value);
  }
  return (output) => narrowed.get(output) ?? output;
}

/** What of each value is read, found from the outputs back to the leaves. */
function demandsOf(nodes: readonly Node[], outputs: readonly Value[]): Demands {
  const demands = new Map<Value, Range | undefined>(outputs.map((output) => [output, undefined]));
  for (const node of [...nodes].reverse()) {
    const [first, ...others] = node.outputs;
    const demand = first && demands.get(first);
    const passed = others.some((value) => demands.has(value)) ? undefined : passedOn(node, demand);
    if (first && !passed) demands.set(first, undefined); // the operator cannot pass the range on: it is cut behind it
    const ranges = passed ?? (node.operator === Slice ? [ownRange(node)] : []);
    for (const [i, operand] of node.inputs.entries()) {
      const wanted = operand.source.kind === "node" ? ranges[i] : undefined;
      demands.set(operand, !demands.has(operand) || sameRange(demands.get(operand), wanted) ? wanted : undefined);
    }
  }
  return demands;
}

/** What a node needs of each operand when its output is needed in a range; undefined where it needs them whole. */
function passedOn(node: Node, demand: Range | undefined): readonly (Range | undefined)[] | undefined {
  if (!demand) return undefined;
  return node.operator.narrow(demand.axis, node)?.map((axis) => (axis === undefined ? undefined : { ...demand, axis }));
}

/** The range that a Slice takes of its operand. */
function ownRange({ inputs, outputs }: Node): Range | undefined {
  const [, starts, ends, axes] = inputs;
  if (!starts || !ends || !axes) return undefined;
  const range = sliceRange(starts, ends, axes);
  return { ...range, length: outputs[0]?.shape[range.axis] ?? 0 };
}

const sameRange = (a: Range | undefined, b: Range | undefined) =>
  a?.axis === b?.axis && a?.start === b?.start && a?.end === b?.end;
