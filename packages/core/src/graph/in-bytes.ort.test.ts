import { describe, expect, test } from "vitest";
import { project } from "../nn/linear.ts";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import { dequantizeBlocks, quantizeBlocks } from "../tensor/block-quantization.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { inBytes } from "./in-bytes.ts";
import { fromBlocks } from "./ops/dequantize-linear.ts";
import { MatMulNBits } from "./ops/mat-mul-n-bits.ts";
import { matmul } from "./ops/matmul.ts";
import { relu } from "./ops/relu.ts";
import { constant, input, type Value } from "./value.ts";
import { nodesOf } from "./walk.ts";

const [rows, out, width, blockSize] = [5, 24, 128, 32] as const;
const draw = random(11, "in bytes");
const drawn = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * draw.normal());

describe.each([4, 8] as const)("a matrix in %i bits", (bits) => {
  const format = { bits, blockSize };
  const quantized = quantizeBlocks(drawn(out * width, 0.1), width, format);
  const weights = dequantizeBlocks(quantized, format);
  const numbersOf = (shape: readonly number[], data: Uint8Array) =>
    constant(bits === 4 ? { dtype: "uint4", shape, data } : { dtype: "uint8", shape, data });
  const blocks = width / blockSize;
  const matrix = fromBlocks(
    numbersOf([out, width], quantized.packed),
    constant(float32([out, blocks], quantized.scales)),
    numbersOf([out, blocks], quantized.zeroPoints),
  );
  const x = input("x", "float32", ["tokens", width]);
  const [y] = inBytes([project(x, matrix)]) as [Value];
  const given = drawn(rows * width);

  test("each product is off by less than half a step of each number of x, and by something", async () => {
    const { y: found } = await runOnce({ y }, { x: float32([rows, width], given) });
    let off = 0;
    for (const [at, value] of numbers(found!).entries()) {
      const [row, column] = [Math.floor(at / out), at % out];
      let [exact, bound] = [0, 0];
      for (let block = 0; block < blocks; block++) {
        const places = Array.from({ length: blockSize }, (_, i) => block * blockSize + i);
        const step = Math.max(...places.map((i) => Math.abs(given[row * width + i]!))) / 127;
        for (const i of places) {
          exact += given[row * width + i]! * weights[column * width + i]!;
          bound += (Math.abs(weights[column * width + i]!) * step) / 2;
        }
      }
      off = Math.max(off, Math.abs(value - exact));
      expect(Math.abs(value - exact)).toBeLessThan(bound + 1e-5); // float32 sums of 128 products
    }
    expect(off).toBeGreaterThan(1e-4); // else nothing was rounded, and nothing was gained
  });

  test("a row is rounded by itself: its neighbours change nothing", async () => {
    const { y: together } = await runOnce({ y }, { x: float32([rows, width], given) });
    for (let row = 0; row < rows; row++) {
      const { y: alone } = await runOnce(
        { y },
        { x: float32([1, width], given.slice(row * width, (row + 1) * width)) },
      );
      const own = numbers(together!).slice(row * out, (row + 1) * out);
      // kernels for one row and for several add the blocks up in another order
      for (const [at, value] of numbers(alone!).entries()) expect(value).toBeCloseTo(own[at]!, 5);
    }
  });

  test("what else reads such a matrix, and other products, stay as they are", () => {
    const other = input("other", "float32", [out, width]);
    const kept = [matmul(x, other, { transB: true }), relu(matmul(input("z", "float32", ["tokens", out]), matrix))];
    expect(nodesOf(inBytes(kept)).map(({ operator }) => operator)).not.toContain(MatMulNBits);
    expect(inBytes(kept)).toEqual(kept);
  });
});
