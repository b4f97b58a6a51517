import { InternalError } from "../errors.ts";
import type { Dim } from "../tensor/shape.ts";
import type { Body } from "./body.ts";
import type { Attributes, Node, TensorType, Value } from "./value.ts";

/** How an attribute is written: ONNX tells integers from floats. */
export type AttributeKind = "int" | "float" | "string" | "ints" | "graph";
type AttributeKinds = Readonly<Record<string, AttributeKind>>;
type AttributesOf<K extends AttributeKinds> = {
  readonly [name in keyof K]: {
    int: number;
    float: number;
    string: string;
    ints: readonly number[];
    graph: Body;
  }[K[name]];
};

/** How many operands an operator takes. */
type Arity = 1 | 2 | 3 | 4 | "many";
type Operands<N extends Arity> = {
  1: readonly [Value];
  2: readonly [Value, Value];
  3: readonly [Value, Value, Value];
  4: readonly [Value, Value, Value, Value];
  many: readonly Value[];
}[N];

/** What a gradient rule may ask of the differentiation that it is a part of. */
export interface Differentiation {
  /** of which operands the gradient is read */
  readonly wanted: readonly boolean[];
  /** Σ over an output's elements of its gradient times their derivatives, of a graph inside the node */
  gradients(output: Value, gradient: Value, wrt: readonly Value[]): readonly Value[];
}

/** What an operator is: its ONNX name, its shape rule, its gradient rule, and what else passes know of it. */
interface OperatorRule<N extends Arity, K extends AttributeKinds> {
  /** the ONNX operator that a node becomes */
  readonly type: string;
  /** left out for ONNX's own operators */
  readonly domain?: "com.microsoft";
  readonly operands: N;
  readonly attributes?: K;
  /** dtype and shape of each output; throws where the operands do not fit */
  readonly infer: (inputs: Operands<N>, attributes: AttributesOf<K>) => readonly TensorType[];
  /** Attributes that read the operands themselves, where they are other ones; left out where none do. */
  readonly bind?: (inputs: Operands<N>, attributes: AttributesOf<K>) => AttributesOf<K>;
  /**
   * The gradient of each operand given dy, that of the first output (later outputs serve gradient rules only);
   * undefined for an operand that has none. Left out where the operator is not differentiable.
   */
  readonly gradient?: (
    dy: Value,
    inputs: Operands<N>,
    outputs: readonly Value[],
    attributes: AttributesOf<K>,
    differentiation: Differentiation,
  ) => readonly (Value | undefined)[];
  /**
   * The first output once more, in a few cheap operations on what the gradient rule reads anyway; see `gradients`.
   * Left out where the output would cost as much as it did or is what the gradient rule reads.
   */
  readonly recompute?: (inputs: Operands<N>, outputs: readonly Value[]) => Value;
  /** How many products the operator sums up for its output; left out where it makes few for each number of its output. */
  readonly products?: (inputs: Operands<N>, output: Value, attributes: AttributesOf<K>) => Dim;
  /**
   * Where only a range of `axis` of the first output is read: of each operand, the axis of which the same range
   * suffices (undefined: it is needed whole; for an operand made by `dims`, the entry that takes the range's length).
   * Returns undefined where the restriction does not pass.
   */
  readonly narrow?: (
    axis: number,
    inputs: Operands<N>,
    output: Value,
    attributes: AttributesOf<K>,
  ) => readonly (number | undefined)[] | undefined;
}

/** An operator as nodes hold it, whatever its operands and attributes. */
export interface Operator {
  readonly type: string;
  readonly domain: "" | "com.microsoft";
  readonly attributeKinds: AttributeKinds;
  apply(inputs: readonly Value[], attributes: Attributes): Node;
  /** undefined where the operator is not differentiable */
  gradient(dy: Value, node: Node, differentiation: Differentiation): readonly (Value | undefined)[] | undefined;
  /** undefined where the first output has to be kept for gradients that read it */
  recompute(node: Node): Value | undefined;
  narrow(axis: number, node: Node): readonly (number | undefined)[] | undefined;
  /** undefined where it makes few products for each number of its output */
  products(node: Node): Dim | undefined;
}

export interface DefinedOperator<N extends Arity, K extends AttributeKinds> extends Operator {
  /** Applies the operator to operands of its own types; all its outputs. */
  all(inputs: Operands<N>, attributes: AttributesOf<K>): readonly Value[];
  /** The same, the first output only. */
  of(inputs: Operands<N>, attributes: AttributesOf<K>): Value;
}

/** Declares an operator: one file in graph/ops, one line in graph/operators.ts. */
export function defineOp<const N extends Arity, const K extends AttributeKinds>(
  rule: OperatorRule<N, K>,
): DefinedOperator<N, K> {
  // nodes hold every operator's operands and attributes alike; inside its own rule they have the declared types again
  const operands = (inputs: readonly Value[]) => inputs as Operands<N>;
  const typed = (attributes: Attributes) => attributes as AttributesOf<K>;
  const bound = (inputs: readonly Value[], attributes: Attributes): Attributes =>
    rule.bind ? (rule.bind(operands(inputs), typed(attributes)) as Attributes) : attributes;
  const operator: DefinedOperator<N, K> = {
    type: rule.type,
    domain: rule.domain ?? "",
    attributeKinds: rule.attributes ?? {},
    apply(inputs, given) {
      if (rule.operands !== "many" && inputs.length !== rule.operands) {
        illegal(rule.type, `takes ${rule.operands} operands`, inputs);
      }
      const attributes: Attributes = bound(inputs, given);
      const outputs: Value[] = [];
      const node: Node = { operator, inputs, attributes, outputs };
      for (const [output, type] of rule.infer(operands(inputs), typed(attributes)).entries()) {
        outputs.push({ ...type, source: { kind: "node", node, output } });
      }
      return node;
    },
    gradient: (dy, { inputs, outputs, attributes }, differentiation) =>
      rule.gradient?.(dy, operands(inputs), outputs, typed(bound(inputs, attributes)), differentiation),
    recompute: ({ inputs, outputs }) => rule.recompute?.(operands(inputs), outputs),
    narrow: (axis, node) => rule.narrow?.(axis, operands(node.inputs), firstOutput(node), typed(node.attributes)),
    products: (node) => rule.products?.(operands(node.inputs), firstOutput(node), typed(node.attributes)),
    all: (inputs, attributes) => operator.apply(inputs, attributes as Attributes).outputs,
    of: (inputs, attributes) => firstOutput(operator.apply(inputs, attributes as Attributes)),
  };
  return operator;
}

export function firstOutput(node: Node): Value {
  const [value] = node.outputs;
  if (!value) throw new InternalError(`${node.operator.type} has no output`);
  return value;
}

/** Throws for operands that an operator cannot take: a bug in petl's own graph. */
export function illegal(type: string, reason: string, inputs: readonly TensorType[]): never {
  const given = inputs.map(({ dtype, shape }) => `${dtype}[${shape.join(", ")}]`).join(", ");
  throw new InternalError(`${type}(${given}): ${reason}`);
}
