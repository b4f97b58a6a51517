import type { QuantizedTensor } from "../../tensor/quantized-tensor.ts";
import { defineOp, illegal } from "../operator.ts";
import { reinterpret, type Value, weight } from "../value.ts";
import { transpose } from "./transpose.ts";

/**
 * W = (q − z) s, z and s the same for `block_size` neighbours along an axis.
 * q: uint4 or uint8 [rows, columns], s: float32 [rows, blocks], z: as q [rows, blocks] -> float32 [rows, columns]
 */
export const DequantizeLinear = defineOp({
  type: "DequantizeLinear",
  operands: 3,
  attributes: { axis: "int", block_size: "int" },
  infer: ([q, s, z], { block_size }) => {
    const fits = Number(q.shape.at(-1)) === Number(s.shape.at(-1)) * block_size;
    if (!fits || q.dtype !== z.dtype) illegal("DequantizeLinear", "blocks must fill the rows", [q, s, z]);
    return [{ dtype: s.dtype, shape: q.shape }];
  },
  gradient: () => [undefined, undefined, undefined],
  // so that no float copy of a frozen matrix waits from the forward pass for the backward pass; the axis is counted from
  // the end there, since ONNX Runtime takes two equal nodes for one
  recompute: ([q, s, z]) => fromBlocks(q, s, z, -1),
});

/** W = (q − z) s, a row's numbers in blocks; see {@link DequantizeLinear}. */
export function fromBlocks(q: Value, s: Value, z: Value, axis: 1 | -1 = 1): Value {
  return DequantizeLinear.of([q, s, z], { axis, block_size: Number(q.shape[1]) / Number(s.shape[1]) });
}

/** A frozen matrix that its file holds in blocks, in float32 and in its own shape. */
export function dequantize({ shape, transposed, bits, packed, scales, zeroPoints }: QuantizedTensor): Value {
  const dtype = bits === 4 ? "uint4" : "uint8";
  const q = reinterpret(weight(packed), dtype, transposed ? shape.toReversed() : shape);
  const held = fromBlocks(q, weight(scales), reinterpret(weight(zeroPoints), dtype, scales.shape));
  return transposed ? transpose(held, [1, 0]) : held;
}
