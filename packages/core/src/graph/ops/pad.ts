import { type Dim, plus } from "../../tensor/shape.ts";
import { defineOp } from "../operator.ts";
import { dims, entriesOf, type Value } from "../value.ts";
import { slice } from "./slice.ts";

/** x with zeros in front of and behind its elements along each axis. */
export const Pad = defineOp({
  type: "Pad",
  operands: 2,
  infer: ([x, pads]) => {
    const entries = entriesOf(pads);
    const rank = x.shape.length;
    return [
      { dtype: x.dtype, shape: x.shape.map((dim, i) => plus(dim, plus(entries[i] ?? 0, entries[i + rank] ?? 0))) },
    ];
  },
  gradient: (dy, [x, pads]) => {
    const entries = entriesOf(pads);
    const inside = (y: Value, axis: number) => {
      const start = entries[axis] ?? 0;
      return slice(y, axis, start, plus(start, x.shape[axis] ?? 0));
    };
    return [x.shape.reduce((y, _, axis) => inside(y, axis), dy), undefined];
  },
  narrow: (axis, [x], output) => (x.shape[axis] === output.shape[axis] ? [axis, undefined] : undefined),
});

/** x with `before` and `after` zeros along one axis; x itself where both are 0. */
export function pad(x: Value, axis: number, before: Dim, after: Dim): Value {
  if (before === 0 && after === 0) return x;
  const along = (length: Dim) => x.shape.map((_, i) => (i === axis ? length : 0));
  return Pad.of([x, dims([...along(before), ...along(after)])], {});
}
