import { elements, times } from "../../tensor/shape.ts";
import { defineOp, illegal } from "../operator.ts";
import { type Node, reinterpret, type Value } from "../value.ts";
import { DequantizeLinear, fromBlocks } from "./dequantize-linear.ts";
import { matmul } from "./matmul.ts";

/**
 * y = x Wᵀ, W = (q − z) s in blocks of 4 or 8 bits, computed without a float copy of W (ONNX Runtime, contrib operators,
 * com.microsoft.MatMulNBits).
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
  gradient: (dy, [_, q, s, z], _outputs, { K, N, bits, block_size }) => {
    const held = bits === 4 ? "uint4" : "uint8";
    const numbers = reinterpret(q, held, [N, K]);
    const zeros = reinterpret(z, held, [N, K / block_size]);
    return [matmul(dy, fromBlocks(numbers, s, zeros)), undefined, undefined, undefined];
  },
  products: (_operands, output, { K }) => times(elements(output.shape), K),
  narrow: (axis, [x]) => (axis === x.shape.length - 1 ? undefined : [axis, undefined, undefined, undefined]),
});

/** What is multiplied, as ONNX Runtime's level: as it is, or rounded to 8 bits, block by block, with sums of whole numbers. */
const levels = { float32: 1, int8: 4 };
type Multiplied = keyof typeof levels;

/** x Wᵀ where W is a matrix that was dequantised from 4 bits, with x rounded to int8 from 8 too; undefined where it is no such matrix. */
export function matmulNBits(x: Value, { source }: Value, multiplied: Multiplied = "float32"): Value | undefined {
  if (source.kind !== "node" || source.node.operator !== DequantizeLinear) return undefined;
  const [q, s, z] = source.node.inputs;
  const bits = q?.dtype === "uint4" ? 4 : q?.dtype === "uint8" && multiplied === "int8" ? 8 : undefined;
  if (!q || !s || !z || bits === undefined) return undefined;
  const [N = 0, K = 0] = q.shape.map(Number);
  const [, blocks = 1] = s.shape.map(Number);
  const block_size = K / blocks;
  const bytes = reinterpret(q, "uint8", [N, blocks, (block_size * bits) / 8]);
  const zeros = reinterpret(z, "uint8", [N, (blocks * bits) / 8]);
  return MatMulNBits.of([x, bytes, s, zeros], { K, N, bits, block_size, accuracy_level: levels[multiplied] });
}

/** The same product with what it multiplies rounded to int8. */
export const ofInt8 = ({ inputs, attributes }: Node): Value | undefined =>
  MatMulNBits.apply(inputs, { ...attributes, accuracy_level: levels.int8 }).outputs[0];
