import { gather } from "../graph/ops/gather.ts";
import { reshape } from "../graph/ops/reshape.ts";
import type { Value } from "../graph/value.ts";
import { batchDim, type Dim } from "../tensor/shape.ts";

/** A tensor's shape where each row has its own, which broadcasts over its tokens.  [n] -> [batch, 1, n]; [m, n] -> [batch, m, n] */
export const rowShape = <D extends Dim>(shape: readonly D[], batch: Dim = batchDim): readonly Dim[] =>
  shape.length === 1 ? [batch, 1, ...shape] : [batch, ...shape];

/** Each row's own tensor, which broadcasts over its tokens.  [slots, n] -> [batch, 1, n]; [slots, m, n] -> [batch, m, n] */
export function ofRows(pool: Value, slots: Value): Value {
  const own = gather(pool, slots);
  const [batch = 1, ...shape] = own.shape;
  return shape.length === 1 ? reshape(own, rowShape(shape, batch)) : own;
}

/** How many there are of a tensor that is declared with so many axes: the batch's where each row has its own, else one. */
export const setsOf = ({ shape }: Value, axes: number): Dim => (shape.length > axes ? (shape[0] ?? 1) : 1);
