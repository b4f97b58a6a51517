import { elements, type Shape, sameShape } from "../../tensor/shape.ts";
import { defineOp, illegal } from "../operator.ts";
import { dims, entriesOf, type Value } from "../value.ts";

/** The same elements in the same order under another shape. */
export const Reshape = defineOp({
  type: "Reshape",
  operands: 2,
  infer: ([x, target]) => {
    const shape = entriesOf(target);
    if (elements(shape) !== elements(x.shape)) illegal("Reshape", `has no room in [${shape.join(", ")}]`, [x]);
    return [{ dtype: x.dtype, shape }];
  },
  gradient: (dy, [x]) => [reshape(dy, x.shape), undefined],
  // passes along an axis that both shapes share, with as many elements in front of it
  narrow: (axis, [x], output) => {
    const before = elements(output.shape.slice(0, axis));
    const shared = x.shape.findIndex(
      (length, i) => length === output.shape[axis] && elements(x.shape.slice(0, i)) === before,
    );
    return shared < 0 ? undefined : [shared, axis];
  },
});

/** The same elements in the same order under another shape; x itself where it has it already. */
export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : Reshape.of([x, dims(shape)], {});
