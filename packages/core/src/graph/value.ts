import { InternalError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import type { Shape } from "../tensor/shape.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import type { Body } from "./body.ts";
import type { Operator } from "./operator.ts";

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A tensor of the graph: immutable, known by its identity. The graph is whatever its outputs reach. */
export interface Value extends TensorType {
  readonly source: Source;
}

type Source =
  /** fed at every run: a batch's tensors, Φ's tensors */
  | { readonly kind: "input"; readonly name: string }
  /** a frozen tensor of Θ, read from the checkpoint's own file */
  | { readonly kind: "weight"; readonly tensor: StoredTensor }
  /** a small tensor written into the graph */
  | { readonly kind: "constant"; readonly tensor: HostTensor }
  /** int64 [n]: lengths as a tensor, computed from the inputs' shapes when the batch arrives */
  | { readonly kind: "dims"; readonly dims: Shape }
  | { readonly kind: "node"; readonly node: Node; readonly output: number };

/** One application of an operator. */
export interface Node {
  readonly operator: Operator;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

export type Attributes = Readonly<Record<string, number | string | readonly number[] | Body>>;

/** A tensor fed at every run. */
export function input(name: string, dtype: DType, shape: Shape): Value {
  return { dtype, shape, source: { kind: "input", name } };
}

/** A frozen tensor of the checkpoint, in the type it has there. */
export function weight(tensor: StoredTensor): Value {
  return { dtype: tensor.dtype, shape: tensor.shape, source: { kind: "weight", tensor } };
}

/** The bytes of a frozen tensor, or of one written into the graph, as another type and shape. */
export function reinterpret({ source }: Value, dtype: "uint8" | "uint4", shape: readonly number[]): Value {
  if (source.kind === "weight") return weight({ ...source.tensor, dtype, shape });
  if (source.kind === "constant" && source.tensor.data instanceof Uint8Array) {
    return constant({ dtype, shape, data: source.tensor.data });
  }
  throw new InternalError(`a ${source.kind} has no bytes to be read as ${dtype}`);
}

/** A small tensor written into the graph. */
export function constant(tensor: HostTensor): Value {
  return { dtype: tensor.dtype, shape: tensor.shape, source: { kind: "constant", tensor } };
}

/** A scalar of the other operand's type, so that the two can be combined. */
export function scalar(value: number, dtype: DType = "float32"): Value {
  switch (dtype) {
    case "int64":
      return constant({ dtype, shape: [], data: BigInt64Array.of(BigInt(value)) });
    case "int32":
      return constant({ dtype, shape: [], data: Int32Array.of(value) });
    case "float64":
      return constant({ dtype, shape: [], data: Float64Array.of(value) });
    default:
      return constant({ dtype: "float32", shape: [], data: Float32Array.of(value) });
  }
}

/** int64 [n]: a shape, or axes, starts, ends, as the tensor that ONNX takes. */
export function dims(entries: Shape): Value {
  return { dtype: "int64", shape: [entries.length], source: { kind: "dims", dims: entries } };
}

/** The entries of a tensor made by {@link dims}. */
export function entriesOf({ source }: Value): Shape {
  if (source.kind !== "dims") throw new InternalError(`needs a tensor made by dims, not a ${source.kind}`);
  return source.dims;
}
