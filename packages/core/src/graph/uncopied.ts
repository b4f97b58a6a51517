import { type Dim, plus, sameShape } from "../tensor/shape.ts";
import { add } from "./ops/add.ts";
import { Concat, concat } from "./ops/concat.ts";
import { FusedMatMul, rowsInFront } from "./ops/matmul.ts";
import { Reshape, reshape } from "./ops/reshape.ts";
import { slice } from "./ops/slice.ts";
import { Transpose } from "./ops/transpose.ts";
import { rewritten } from "./rewritten.ts";
import type { Node, Value } from "./value.ts";

/**
 * The same values, where products read matrices whose rows lie apart in memory as they lie: what stands one behind the
 * other is not copied together for them, nor brought into another order.
 *
 *   q [k₁; k₂]ᵀ = [q k₁ᵀ, q k₂ᵀ]    [p₁, p₂] [v₁; v₂] = p₁ v₁ + p₂ v₂
 */
export const uncopied = (values: readonly Value[]): readonly Value[] => rewritten(values, partwise);

/** What a product reads on its right. */
interface Part {
  readonly lies: Value;
  /** whether its rows stand in front of its leading axes */
  readonly apart: boolean;
  readonly rows: Dim;
}

/** A product part by part of its right operand; undefined where no rows of it lie apart. */
function partwise({ operator, inputs: [a, b], attributes }: Node): readonly Value[] | undefined {
  if (operator !== FusedMatMul || !a || !b || attributes.transA === 1 || attributes.transBatchB === 1) return undefined;
  const parts = partsOf(b).map((part) => asItLies(part, a.shape.length));
  if (!parts.some(({ apart }) => apart)) return undefined;
  const product = (left: Value, { lies, apart }: Part): Value =>
    FusedMatMul.apply([left, lies], { ...attributes, transBatchB: apart ? 1 : 0 }).outputs[0] ?? left;
  if (attributes.transB === 1)
    return [
      concat(
        parts.map((part) => product(a, part)),
        -1,
      ),
    ];
  let start: Dim = 0;
  const products = parts.map((part) => {
    const end = plus(start, part.rows);
    const columns = slice(a, -1, start, end);
    start = end;
    return product(columns, part);
  });
  return [products.reduce((sum, each) => add(sum, each))];
}

/** The matrices whose rows make those of one, one behind the other. */
function partsOf(matrix: Value): readonly Value[] {
  if (matrix.source.kind !== "node") return [matrix];
  const { operator, inputs, attributes } = matrix.source.node;
  if (operator === Concat && attributes.axis === matrix.shape.length - 2) return inputs.flatMap(partsOf);
  const [x] = inputs;
  if (operator !== Reshape || !x || !sameShape(x.shape.slice(-2), matrix.shape.slice(-2))) return [matrix];
  return partsOf(x).map((part) => reshape(part, [...matrix.shape.slice(0, -2), ...part.shape.slice(-2)]));
}

/** A matrix whose rows lie apart as it lies, where the product's left operand has as many axes; others as they are. */
function asItLies(matrix: Value, rank: number): Part {
  const [rows = 1] = matrix.shape.slice(-2);
  const whole = { lies: matrix, apart: false, rows };
  if (matrix.source.kind !== "node" || matrix.shape.length !== rank || rank < 3) return whole;
  const { operator, inputs, attributes } = matrix.source.node;
  const [x] = inputs;
  if (operator === Reshape && x && sameShape(x.shape.slice(-2), matrix.shape.slice(-2))) {
    const inner = asItLies(x, x.shape.length);
    const shape = [rows, ...matrix.shape.slice(0, -2), ...matrix.shape.slice(-1)];
    return inner.apart ? { lies: reshape(inner.lies, shape), apart: true, rows } : whole;
  }
  const { perm } = attributes;
  const isApart =
    operator === Transpose && Array.isArray(perm) && rowsInFront(rank).every((axis, i) => axis === perm[i]);
  return isApart && x ? { lies: x, apart: true, rows } : whole;
}
