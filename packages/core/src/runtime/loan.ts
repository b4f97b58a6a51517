import { float32, float32Of } from "../tensor/host-tensor.ts";
import type { Lender } from "../tensor/lender.ts";
import type { Tensors } from "./session.ts";

/** Tensors that one run after the other reads, in vectors that are lent to each and come back. */
export interface Loan {
  /** where they lie now; not while a run has them */
  tensors(): Tensors;
  readonly lenders: readonly Lender[];
}

/**
 * A copy of float32 tensors, to be lent, so that they are copied once and not for every run. What becomes of the tensors
 * afterwards changes nothing of the copy.
 */
export function lentCopy(tensors: Tensors): Loan {
  let size = 0;
  const places = Object.entries(tensors).map(([name, tensor]) => {
    const start = size;
    size += tensor.data.length;
    return { tensor, place: { name, shape: tensor.shape, start, end: size } };
  });
  const lender: Lender = { values: new Float32Array(size) };
  for (const { tensor, place } of places) lender.values.set(float32Of(tensor), place.start);
  const where = places.map(({ place }) => place);
  return {
    tensors: () =>
      Object.fromEntries(
        where.map(({ name, shape, start, end }) => [name, float32(shape, lender.values.subarray(start, end))]),
      ),
    lenders: [lender],
  };
}
