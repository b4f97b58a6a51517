import { bytesOf, type DType, onnxTypes } from "../../tensor/dtype.ts";
import { narrowBroadcast } from "../elementwise.ts";
import { defineOp, illegal } from "../operator.ts";
import type { Value } from "../value.ts";

const isFloat = (dtype: DType) => /float/.test(dtype);

/** x in another element type.  to: ONNX's number of the type */
export const Cast = defineOp({
  type: "Cast",
  operands: 1,
  attributes: { to: "int" },
  infer: ([x], { to }) => {
    const dtype = onnxTypes.find(([, number]) => number === to)?.[0] ?? illegal("Cast", `no type ${to}`, [x]);
    return [{ dtype, shape: x.shape }];
  },
  gradient: (dy, [x]) => [isFloat(x.dtype) ? cast(dy, x.dtype) : undefined],
  // so that no wide copy of a frozen matrix waits from the forward pass for the backward pass
  recompute: ([x], [y]) => (y && bytesOf[x.dtype] < bytesOf[y.dtype] ? cast(x, y.dtype) : y!),
  narrow: narrowBroadcast,
});

/** x in another element type; x itself where it has it already. */
export function cast(x: Value, dtype: DType): Value {
  if (x.dtype === dtype) return x;
  const to = onnxTypes.find(([name]) => name === dtype)?.[1];
  return Cast.of([x], { to: to ?? illegal("Cast", `no number for ${dtype}`, [x]) });
}
