import fc from "fast-check";
import { expect, test } from "vitest";
import { type BlockFormat, bitWidths, blockSizes, rowUnit } from "./block-format.ts";
import { dequantizeBlocks, quantizeBlocks } from "./block-quantization.ts";

/** A matrix in some format: rows of one or two units, whose weights are of very different sizes. */
const matrices = fc
  .record({
    bits: fc.constantFrom(...bitWidths),
    blockSize: fc.constantFrom(...blockSizes),
    rows: fc.integer({ min: 1, max: 3 }),
    units: fc.integer({ min: 1, max: 2 }),
  })
  .chain(({ bits, blockSize, rows, units }) => {
    const format: BlockFormat = { bits, blockSize };
    const columns = units * rowUnit(format);
    const weight = fc.oneof(fc.double({ min: -2, max: 2, noNaN: true }), fc.constantFrom(0, 1e-30, -1e30, 3e38, -3e38));
    return fc
      .array(weight, { minLength: rows * columns, maxLength: rows * columns })
      .map((weights) => ({ format, columns, weights: Float32Array.from(weights) }));
  });

test("no weight moves by more than half of its block's step", () => {
  fc.assert(
    fc.property(matrices, ({ format, columns, weights }) => {
      const blocks = quantizeBlocks(weights, columns, format);
      const rounded = dequantizeBlocks(blocks, format);
      const moved = weights.filter((weight, at) => {
        const step = blocks.scales[Math.floor(at / format.blockSize)]!;
        // of float32's rounding of step and product: 2^-23 of at most 2^bits steps
        const rounding = step * 2 ** (format.bits - 23);
        return !(Math.abs(weight - rounded[at]!) <= step / 2 + rounding + 2 ** -126);
      });
      expect([...moved]).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test("what was rounded once stays as it is", () => {
  fc.assert(
    fc.property(matrices, ({ format, columns, weights }) => {
      const once = dequantizeBlocks(quantizeBlocks(weights, columns, format), format);
      const twice = dequantizeBlocks(quantizeBlocks(once, columns, format), format);
      // the second scale is the first but for float32's rounding
      const moved = once.filter(
        (weight, at) => !(Math.abs(twice[at]! - weight) <= Math.abs(weight) * 2 ** -20 + 2 ** -126),
      );
      expect([...moved]).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test("zeros stay zeros, and blocks of nothing else have no step", () => {
  const weights = Float32Array.from({ length: 64 }, (_, at) => (at < 32 || at % 2 ? 0 : at));
  const format = { bits: 4, blockSize: 16 } as const;
  const blocks = quantizeBlocks(weights, 64, format);
  dequantizeBlocks(blocks, format).forEach((weight, at) => {
    if (weights[at] === 0) expect(weight).toBe(0);
  });
  expect([...blocks.scales.subarray(0, 2)]).toEqual([0, 0]);
});

test("numbers lie as ONNX Runtime reads them: of 4 bits the first in the lower half of a byte", () => {
  // a block from −7 to 8 has the step 1 and the zero point 7, so that the numbers are w + 7
  const weights = Float32Array.from({ length: 32 }, (_, at) => (at % 16) - 7);
  const { packed, scales, zeroPoints } = quantizeBlocks(weights, 32, { bits: 4, blockSize: 16 });
  expect([...packed.subarray(0, 8)]).toEqual([0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe]);
  expect([...scales]).toEqual([1, 1]);
  expect([...zeroPoints]).toEqual([0x77]);
});
