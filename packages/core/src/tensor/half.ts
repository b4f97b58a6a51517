import type { OwnFloats, OwnUint16s } from "./own-memory.ts";

/**
 * The two 16-bit float types as raw bits, because Node 20 has no Float16Array.
 * Widening is exact; narrowing rounds to nearest, ties to even (IEEE 754-2019, sections 3.6 and 4.3.1).
 * A NaN stays a NaN and keeps what fits of its payload, so 16 bits -> float32 -> 16 bits changes no bit.
 */

/** float16 (1 sign, 5 exponent, 10 fraction bits) to float32, exactly. */
export function float32FromFloat16(raw: Uint16Array): OwnFloats {
  const out = new Float32Array(raw.length);
  const bits = bitsOf(out);
  for (let i = 0; i < raw.length; i++) {
    const half = raw[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = half & 0x7c00;
    if (exponent === 0x7c00) bits[i] = sign | 0x7f800000 | ((half & 0x3ff) << 13);
    else if (exponent !== 0) bits[i] = sign | (((half & 0x7fff) << 13) + 0x38000000);
    else out[i] = (half & 0x3ff) * (sign === 0 ? 2 ** -24 : -(2 ** -24));
  }
  return out;
}

/** float32 to float16; from 65520 on it becomes infinity, up to 2^-25 it becomes zero, each with its sign. */
export function float16FromFloat32(values: Float32Array): OwnUint16s {
  const bits = bitsOf(values);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const value = bits[i]!;
    out[i] = ((value >>> 16) & 0x8000) | float16Magnitude(value & 0x7fffffff);
  }
  return out;
}

/** bfloat16 (the upper half of a float32) to float32, exactly. */
export function float32FromBfloat16(raw: Uint16Array): OwnFloats {
  const out = new Float32Array(raw.length);
  const bits = bitsOf(out);
  for (let i = 0; i < raw.length; i++) bits[i] = raw[i]! << 16;
  return out;
}

/** float32 to bfloat16; what is nearer to 2^128 than to the greatest bfloat16 becomes infinity. */
export function bfloat16FromFloat32(values: Float32Array): OwnUint16s {
  const bits = bitsOf(values);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const value = bits[i]!;
    if ((value & 0x7fffffff) > 0x7f800000) out[i] = (value >>> 16) | ((value & 0x7f0000) === 0 ? 0x40 : 0);
    else out[i] = (value + 0x7fff + ((value >>> 16) & 1)) >>> 16;
  }
  return out;
}

/** The 15 bits below the sign, from the 31 bits below a float32's sign. */
function float16Magnitude(magnitude: number): number {
  if (magnitude > 0x7f800000) return 0x7c00 | (magnitude & 0x7fe000 ? (magnitude & 0x7fe000) >>> 13 : 0x200);
  if (magnitude >= 0x38800000) {
    const rebiased = magnitude - 0x38000000; // exponent bias 127 -> 15
    const rounded = (rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13;
    return Math.min(rounded, 0x7c00);
  }
  const exponent = magnitude >>> 23;
  if (exponent < 102) return 0;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const dropped = 126 - exponent; // how many bits of the fraction lie below 2^-24
  const kept = fraction >>> dropped;
  const rest = fraction & ((1 << dropped) - 1);
  const half = 1 << (dropped - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}
