import { elements, times } from "../../tensor/shape.ts";
import { defineOp, illegal } from "../operator.ts";
import { reinterpret, type Value } from "../value.ts";
import { DequantizeLinear, fromBlocks } from "./dequantize-linear.ts";
import { matmul } from "./matmul.ts";

/**
 * y = x Wᵀ, W = (q − z) s in blocks of 4 bits, computed in float32 without a float copy of W (ONNX Runtime, contrib
 * operators, com.microsoft.MatMulNBits).
 * x: [..., K], q: uint8 [N, blocks, bytes of a block], s: float32 [N, blocks], z: uint8 [N, bytes] -> [..., N]
 */
export const MatMulNBits = defineOp({
  type: "MatMulNBits",
  domain: "com.microsoft",
  operands: 4,
  attributes: { K: "int", N: "int", bits: "int", block_size: "int", accuracy_level: "int" },
  infer: ([x, q, s, z], { K, N }) => {
    const fits = x.shape.at(-1) === K && q.shape[0] === N && s.shape[0] === N;
    if (!fits) illegal("MatMulNBits", `does not multiply by [${N}, ${K}]`, [x, q, s, z]);
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, -1), N] }];
  },
  // Y = X Wᵀ  =>  dX = dY W; W is frozen
  gradient: (dy, [_, q, s, z], _outputs, { K, N, block_size }) => {
    const numbers = reinterpret(q, "uint4", [N, K]);
    const zeros = reinterpret(z, "uint4", [N, K / block_size]);
    return [matmul(dy, fromBlocks(numbers, s, zeros)), undefined, undefined, undefined];
  },
  products: (_operands, output, { K }) => times(elements(output.shape), K),
  narrow: (axis, [x]) => (axis === x.shape.length - 1 ? undefined : [axis, undefined, undefined, undefined]),
});

/** float32 sums of float32 products; higher levels round x to 8 bits */
const exact = 1;

/** x Wᵀ where W is a matrix that was dequantised from 4 bits; undefined where it is no such matrix. */
export function matmulNBits(x: Value, { source }: Value): Value | undefined {
  if (source.kind !== "node" || source.node.operator !== DequantizeLinear) return undefined;
  const [q, s, z] = source.node.inputs;
  if (q?.dtype !== "uint4" || !s || !z) return undefined;
  const [N = 0, K = 0] = q.shape.map(Number);
  const [, blocks = 1] = s.shape.map(Number);
  const block_size = K / blocks;
  const bytes = reinterpret(q, "uint8", [N, blocks, block_size / 2]);
  const zeros = reinterpret(z, "uint8", [N, blocks / 2]);
  return MatMulNBits.of([x, bytes, s, zeros], { K, N, bits: 4, block_size, accuracy_level: exact });
}
