import { random } from "./random.ts";

/** A random linear map P of a short vector to a long one that is never written down. */
interface Projection {
  /** out ← P x.  x: [inner], out: [outer] */
  expand(x: Float32Array, out: Float32Array): void;
  /** out ← Pᵀ y.  y: [outer], out: [inner] */
  contract(y: Float32Array, out: Float32Array): void;
}

/**
 * Fastfood (Le, Sarlos and Smola 2013, arXiv:1408.3060, section 3): P is a stack of blocks H G Π H B / s of the size d', the
 * power of two from `inner` on; H is the Walsh-Hadamard matrix, G diagonal and normal, Π a permutation, B diagonal of signs, x
 * is padded with zeros, and s = √(inner · Σ G²) makes every row of P one of length 1. A product takes outer · 2 log₂ d' sums
 * instead of outer · inner.
 */
export function fastfood(outer: number, inner: number, seed: number): Projection {
  const size = 2 ** Math.max(1, Math.ceil(Math.log2(inner)));
  const count = Math.ceil(outer / size);
  const { signs, order, normals } = drawnBlocks(count, size, inner, seed);
  const work = new Float32Array(size);
  const other = new Float32Array(size);
  return {
    expand(x, out) {
      for (let start = 0; start < count * size; start += size) {
        for (let i = 0; i < inner; i++) work[i] = signs[start + i]! * x[i]!;
        work.fill(0, inner);
        hadamard(work);
        for (let i = 0; i < size; i++) other[i] = normals[start + i]! * work[order[start + i]!]!;
        hadamard(other);
        const within = Math.min(size, outer - start);
        for (let i = 0; i < within; i++) out[start + i] = other[i]!;
      }
    },
    contract(y, out) {
      out.fill(0);
      for (let start = 0; start < count * size; start += size) {
        const within = Math.min(size, outer - start);
        for (let i = 0; i < within; i++) other[i] = y[start + i]!;
        other.fill(0, within);
        hadamard(other);
        for (let i = 0; i < size; i++) work[order[start + i]!] = normals[start + i]! * other[i]!;
        hadamard(work);
        for (let i = 0; i < inner; i++) out[i] = out[i]! + signs[start + i]! * work[i]!;
      }
    },
  };
}

/** All blocks, one behind the other: small ones are too many for arrays of their own. */
interface Blocks {
  readonly signs: Int8Array;
  /** within each block */
  readonly order: Uint32Array;
  /** G with 1 / s in it */
  readonly normals: Float32Array;
}

function drawnBlocks(count: number, size: number, inner: number, seed: number): Blocks {
  const signs = new Int8Array(count * size);
  const order = new Uint32Array(count * size);
  const normals = new Float32Array(count * size);
  for (let block = 0; block < count; block++) {
    const start = block * size;
    const { uint32, fillNormal, order: drawnOrder } = random(seed, "fastfood", block);
    for (let i = 0; i < size; i++) signs[start + i] = uint32() % 2 === 0 ? 1 : -1;
    order.set(drawnOrder(size), start);
    const own = normals.subarray(start, start + size);
    fillNormal(own, 0, 1);
    let squares = 0;
    for (const value of own) squares += value * value;
    const scale = 1 / Math.sqrt(inner * squares);
    for (let i = 0; i < size; i++) own[i] = own[i]! * scale;
  }
  return { signs, order, normals };
}

/** values ← H values, in place; the length is a power of two. Two levels at a time, which halves what is read and written. */
function hadamard(values: Float32Array): void {
  const { length } = values;
  let half = 1;
  for (; 2 * half < length; half *= 4) {
    for (let start = 0; start < length; start += 4 * half) {
      for (let i = start; i < start + half; i++) {
        const a = values[i]!;
        const b = values[i + half]!;
        const c = values[i + 2 * half]!;
        const d = values[i + 3 * half]!;
        values[i] = a + b + (c + d);
        values[i + half] = a - b + (c - d);
        values[i + 2 * half] = a + b - (c + d);
        values[i + 3 * half] = a - b - (c - d);
      }
    }
  }
  if (half === length) return;
  for (let i = 0; i < half; i++) {
    const a = values[i]!;
    const b = values[i + half]!;
    values[i] = a + b;
    values[i + half] = a - b;
  }
}
