import { axisOf, type Dim, plus, times } from "../../tensor/shape.ts";
import { defineOp } from "../operator.ts";
import { dims, entriesOf, type Value } from "../value.ts";
import { pad } from "./pad.ts";

/** Elements start ≤ i < end of one axis. */
export const Slice = defineOp({
  type: "Slice",
  operands: 4,
  infer: ([x, starts, ends, axes]) => {
    const { axis, start, end } = sliceRange(starts, ends, axes);
    return [{ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === axis ? difference(end, start) : dim)) }];
  },
  gradient: (dy, [x, starts, ends, axes]) => {
    const { axis, start, end } = sliceRange(starts, ends, axes);
    return [pad(dy, axis, start, difference(x.shape[axis] ?? 0, end)), undefined, undefined, undefined];
  },
  narrow: (axis, [, starts, ends, axes]) =>
    axis === sliceRange(starts, ends, axes).axis ? undefined : [axis, undefined, undefined, undefined],
});

/** Elements start ≤ i < end of one axis; x itself where that is all of it. */
export function slice(x: Value, axis: number, start: Dim, end: Dim): Value {
  const along = axisOf(axis, x.shape.length);
  return start === 0 && end === x.shape[along] ? x : Slice.of([x, dims([start]), dims([end]), dims([along])], {});
}

/** The axis and the range that a Slice takes. */
export function sliceRange(starts: Value, ends: Value, axes: Value) {
  const [[start = 0], [end = 0], [axis]] = [entriesOf(starts), entriesOf(ends), entriesOf(axes)];
  return { axis: Number(axis), start, end };
}

const difference = (a: Dim, b: Dim) => plus(a, times(-1, b));
