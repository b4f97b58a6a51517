import { type Dim, type Shape, termsOf, times, tokensDim } from "../tensor/shape.ts";
import { firstOutput } from "./operator.ts";
import { gather } from "./ops/gather.ts";
import { FusedMatMul } from "./ops/matmul.ts";
import { reshape } from "./ops/reshape.ts";
import { ofEachChunk } from "./ops/scan.ts";
import { slice } from "./ops/slice.ts";
import { transpose } from "./ops/transpose.ts";
import { rewritten } from "./rewritten.ts";
import { dims, entriesOf, input, type Node, type Value } from "./value.ts";

/** Which rows of a long axis are computed at a time. */
export interface RowPieces {
  /** int32 [pieces, piece]: the rows' numbers, one piece behind the other; behind the last row stands the last once more */
  readonly rows: Value;
  /** how many rows there are */
  readonly length: Dim;
}

/**
 * The same values where what has a number for every two tokens exists for some rows only: attention is computed piece by
 * piece of its queries, and once more, piece by piece, for its gradient, so that no scores wait for the backward pass. A row
 * is computed from the same operands by the same operators. The pass knows neither masks nor heads: it follows the product
 * that reads such a matrix backwards through each operator's `narrow` rule. What does not let a range of rows through, such
 * as dropout of probabilities, which counts them all, stays as it is.
 * Source: Rabe and Staats 2021, arXiv:2112.05682, sections 2 and 3
 */
export function inRowPieces(values: readonly Value[], pieces: RowPieces): readonly Value[] {
  return rewritten(values, (node) => {
    const inPieces = readsMatrix(node) ? piecewise(node, pieces) : undefined;
    return inPieces && [inPieces];
  });
}

/** Whether a value has a number for every two tokens. */
const isMatrix = ({ shape }: Value): boolean =>
  shape.filter((dim) => termsOf(dim).some(({ symbols }) => symbols.includes(tokensDim))).length > 1;

/** Whether a node is a product that sums up such a value's rows. */
const readsMatrix = (node: Node): boolean =>
  node.operator === FusedMatMul && !isMatrix(firstOutput(node)) && node.inputs.slice(0, 1).some(isMatrix);

/** A product's output, made piece by piece; undefined where its rows don't lie apart. */
function piecewise(product: Node, { rows, length }: RowPieces): Value | undefined {
  const whole = firstOutput(product);
  const rowAxis = whole.shape.length - 2;
  if (whole.shape[rowAxis] !== length) return undefined;
  const [, piece = 1] = rows.shape;
  const chunks = new Map<Value, readonly [whole: Value, chunk: Value]>();
  const known = new Map<Value, Value | undefined>();
  const part = (value: Value, axis: number): Value | undefined => {
    if (value.source.kind === "dims") return dims(entriesOf(value).map((entry, i) => (i === axis ? piece : entry)));
    if (known.has(value)) return known.get(value);
    const { source } = value;
    const found = source.kind === "node" && isMatrix(value) ? partOf(source.node, axis) : chunkOf(value, axis);
    known.set(value, found);
    return found;
  };
  const chunkOf = (value: Value, axis: number): Value => {
    const { front, back } = orders(value.shape, axis);
    const tensor = gather(transposed(value, front), rows);
    const chunk = input(`rows of a piece ${chunks.size}`, value.dtype, tensor.shape.slice(1));
    chunks.set(value, [tensor, chunk]);
    return transposed(chunk, back);
  };
  const partOf = (node: Node, axis: number): Value | undefined => {
    const axes = node.operator.narrow(axis, node);
    const found = node.inputs.map((operand, i) => (axes?.[i] === undefined ? operand : part(operand, axes[i])));
    const inputs = found.flatMap((operand) => (operand === undefined || isMatrix(operand) ? [] : [operand]));
    const passes = axes !== undefined && inputs.length === found.length;
    return passes ? firstOutput(node.operator.apply(inputs, node.attributes)) : undefined;
  };
  const output = partOf(product, rowAxis);
  if (!output) return undefined;
  const { front, back } = orders(whole.shape, rowAxis);
  const all = ofEachChunk([...chunks.values()], transposed(output, front));
  const [pieces = 1, , ...others] = all.shape;
  return transposed(slice(reshape(all, [times(pieces, piece), ...others]), 0, 0, length), back);
}

/** An axis moved to the front, and back to its place. */
function orders(shape: Shape, axis: number): { readonly front: readonly number[]; readonly back: readonly number[] } {
  const front = [axis, ...shape.keys()].filter((other, i) => i === 0 || other !== axis);
  return { front, back: front.map((_, i) => front.indexOf(i)) };
}

const transposed = (x: Value, order: readonly number[]): Value =>
  order.every((axis, i) => axis === i) ? x : transpose(x, order);
