import { elements, times } from "../../tensor/shape.ts";
import { defineOp, illegal } from "../operator.ts";
import { reinterpret, type Value } from "../value.ts";
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
  gradient: (dy, [_, q, s, z], _outputs, { K, N, block_size, bits }) => {
    const dtype = bits === 4 ? "uint4" : "uint8";
    const numbers = reinterpret(q, dtype, [N, K]);
    const zeros = reinterpret(z, dtype, [N, K / block_size]);
    return [matmul(dy, fromBlocks(numbers, s, zeros)), undefined, undefined, undefined];
  },
  products: (_operands, output, { K }) => times(elements(output.shape), K),
  narrow: (axis, [x]) => (axis === x.shape.length - 1 ? undefined : [axis, undefined, undefined, undefined]),
});

/** How x is read: as it is, with sums in float32, or rounded to 8 bits. */
export const levels = { exact: 1, bytes: 4 } as const;

/** x Wᵀ where W is a matrix that was dequantised from 4 bits; undefined where it is no such matrix. */
export function matmulNBits(x: Value, weight: Value): Value | undefined {
  const held = heldOf(weight);
  return held?.bits === 4 ? heldProduct(x, held, levels.exact) : undefined;
}

/** A matrix in few bits, row by row in blocks. */
interface Held {
  readonly bits: 4 | 8;
  readonly numbers: Value;
  readonly scales: Value;
  readonly zeros: Value;
}

/** What a matrix was dequantised from; undefined where it was not. */
export function heldOf({ source }: Value): Held | undefined {
  if (source.kind !== "node" || source.node.operator !== DequantizeLinear) return undefined;
  const [numbers, scales, zeros] = source.node.inputs;
  if (!numbers || !scales || !zeros) return undefined;
  return { bits: numbers.dtype === "uint4" ? 4 : 8, numbers, scales, zeros };
}

/** x Wᵀ with a matrix as it is held. */
export function heldProduct(x: Value, { bits, numbers, scales, zeros }: Held, accuracy_level: number): Value {
  const [N = 0, K = 0] = numbers.shape.map(Number);
  const [, blocks = 1] = scales.shape.map(Number);
  const block_size = K / blocks;
  const rows = reinterpret(numbers, "uint8", [N, blocks, (block_size * bits) / 8]);
  const points = reinterpret(zeros, "uint8", [N, (blocks * bits) / 8]);
  return MatMulNBits.of([x, rows, scales, points], { K, N, bits, block_size, accuracy_level });
}
