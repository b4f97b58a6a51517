import type { QuantizedTensor } from "../../tensor/quantized-tensor.ts";
import { defineOp, firstOutput, illegal } from "../operator.ts";
import { reinterpret, type Value, weight } from "../value.ts";

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
});

/** A frozen matrix that its file holds in blocks, in float32: [rows, columns] */
export function dequantize({ shape, bits, blockSize, packed, scales, zeroPoints }: QuantizedTensor): Value {
  const dtype = bits === 4 ? "uint4" : "uint8";
  return DequantizeLinear.of(
    [reinterpret(weight(packed), dtype, shape), weight(scales), reinterpret(weight(zeroPoints), dtype, scales.shape)],
    { axis: 1, block_size: blockSize },
  );
}

/**
 * A dequantised matrix for one more reader, dequantised anew, so that no float copy waits from the forward pass for the
 * backward pass; any other value as it is. The axis is counted from the end: ONNX Runtime takes two equal nodes for one.
 */
export function dequantizedAnew(value: Value): Value {
  const { source } = value;
  if (source.kind !== "node" || source.node.operator !== DequantizeLinear) return value;
  const { inputs, attributes } = source.node;
  return firstOutput(DequantizeLinear.apply(inputs, { ...attributes, axis: -1 }));
}
