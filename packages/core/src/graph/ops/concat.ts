import { axisOf, type Dim, plus, sameShape } from "../../tensor/shape.ts";
import { defineOp, illegal } from "../operator.ts";
import type { Value } from "../value.ts";
import { slice } from "./slice.ts";

/** Tensors one behind the other along an axis; their other axes agree. */
export const Concat = defineOp({
  type: "Concat",
  operands: "many",
  attributes: { axis: "int" },
  infer: (inputs, { axis }) => {
    const [first] = inputs;
    const others = (x: Value) => x.shape.filter((_, i) => i !== axis);
    if (!first || inputs.some((x) => x.dtype !== first.dtype || !sameShape(others(x), others(first)))) {
      illegal("Concat", `all axes but ${axis} must agree`, inputs);
    }
    const length = inputs.reduce<Dim>((sum, x) => plus(sum, x.shape[axis] ?? 0), 0);
    return [{ dtype: first.dtype, shape: first.shape.map((dim, i) => (i === axis ? length : dim)) }];
  },
  gradient: (dy, inputs, _, { axis }) => {
    let start: Dim = 0;
    return inputs.map((x) => {
      const end = plus(start, x.shape[axis] ?? 0);
      const dx = slice(dy, axis, start, end);
      start = end;
      return dx;
    });
  },
  narrow: (axis, inputs, _, { axis: along }) => (axis === along ? undefined : inputs.map(() => axis)),
});

/** Tensors one behind the other along an axis. */
export const concat = (inputs: readonly Value[], axis: number): Value =>
  Concat.of(inputs, { axis: axisOf(axis, inputs[0]?.shape.length ?? 0) });
