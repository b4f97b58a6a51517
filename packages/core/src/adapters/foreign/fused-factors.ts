import type { ForeignTensor } from "./foreign-format.ts";

/**
 * B of a fused layer whose blocks have rows of A of their own: [n · out, r] -> [blocks · out, n · r], where the k-th of the n
 * adapted blocks reads the k-th r rows of A and the rest is zero.
 */
export function blockDiagonal(B: ForeignTensor, adapted: readonly number[], blocks: number): ForeignTensor {
  const [rows = 1, rank = 1] = B.shape;
  const [out, columns] = [rows / adapted.length, rank * adapted.length];
  return {
    name: B.name,
    shape: [blocks * out, columns],
    async values() {
      const values = await B.values();
      const wide = new Float32Array(blocks * out * columns);
      for (const [at, block] of adapted.entries()) {
        for (let row = 0; row < out; row++) {
          const from = (at * out + row) * rank;
          wide.set(values.subarray(from, from + rank), (block * out + row) * columns + at * rank);
        }
      }
      return wide;
    },
  };
}
