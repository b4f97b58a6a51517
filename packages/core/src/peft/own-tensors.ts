import { gather } from "../graph/ops/gather.ts";
import { reshape } from "../graph/ops/reshape.ts";
import type { Value } from "../graph/value.ts";
import type { Dim } from "../tensor/shape.ts";

/** The shape of a row's own tensor, which broadcasts over its tokens.  [n] -> [1, n]; [m, n] -> [m, n] */
export const overTokens = <D extends Dim>(shape: readonly D[]): readonly (D | number)[] =>
  shape.length === 1 ? [1, ...shape] : shape;

/** Each row's own tensor, which broadcasts over its tokens.  [slots, n] -> [batch, 1, n]; [slots, m, n] -> [batch, m, n] */
export function ofRows(pool: Value, slots: Value): Value {
  const own = gather(pool, slots);
  const [batch = 1, ...shape] = own.shape;
  return shape.length === 1 ? reshape(own, [batch, ...overTokens(shape)]) : own;
}

/** How many there are of a tensor that is declared with so many axes: the batch's where each row has its own, else one. */
export const setsOf = ({ shape }: Value, axes: number): Dim => (shape.length > axes ? (shape[0] ?? 1) : 1);
