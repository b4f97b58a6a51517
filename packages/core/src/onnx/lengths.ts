import { InternalError } from "../errors.ts";
import type { AttributeKind } from "../graph/operator.ts";
import type { Attributes } from "../graph/value.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import { type Dim, type Shape, termsOf } from "../tensor/shape.ts";

/** A node whose operands have got their names. */
export interface NamedNode {
  readonly type: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributeKinds?: Readonly<Record<string, AttributeKind>>;
  readonly attributes?: Attributes;
}

interface Lengths {
  readonly constants: readonly (readonly [string, HostTensor])[];
  readonly nodes: readonly NamedNode[];
}

/**
 * int64 [n] from lengths: a constant where all are numbers; otherwise each symbol is read off the shape of an input
 * that has it as an axis, and sums and products are computed when the batch arrives.
 */
export function lengthNodes(name: string, lengths: Shape, inputs: readonly { name: string; shape: Shape }[]): Lengths {
  const numbers = lengths.filter((dim) => typeof dim === "number");
  if (numbers.length === lengths.length) return { constants: [[name, int64(numbers)]], nodes: [] };

  const constants: [string, HostTensor][] = [];
  const nodes: NamedNode[] = [];
  const constant = (value: number) => {
    const id = `${name}/${constants.length}`;
    constants.push([id, int64([value])]);
    return id;
  };
  const node = (type: string, operands: readonly string[]) => {
    const output = `${name}/${type}.${nodes.length}`;
    nodes.push({ type, inputs: operands, outputs: [output] });
    return output;
  };
  const symbol = (wanted: string) => {
    const holder = inputs.find(({ shape }) => shape.includes(wanted));
    if (!holder) throw new InternalError(`no input has an axis of length "${wanted}"`);
    return node("Gather", [node("Shape", [holder.name]), constant(holder.shape.indexOf(wanted))]);
  };
  const entry = (dim: Dim) =>
    termsOf(dim)
      .map(({ coefficient, symbols }) =>
        symbols.map(symbol).reduce((product, factor) => node("Mul", [product, factor]), constant(coefficient)),
      )
      .reduce((sum, term) => node("Add", [sum, term]));

  const entries = lengths.map(entry);
  nodes.push({
    type: "Concat",
    inputs: entries,
    outputs: [name],
    attributeKinds: { axis: "int" },
    attributes: { axis: 0 },
  });
  return { constants, nodes };
}

const int64 = (values: readonly number[]): HostTensor => ({
  dtype: "int64",
  shape: [values.length],
  data: BigInt64Array.from(values.map(BigInt)),
});
