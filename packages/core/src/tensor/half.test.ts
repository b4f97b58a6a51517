import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bfloat16FromFloat32, float16FromFloat32, float32FromBfloat16, float32FromFloat16 } from "./half.ts";

const everyPattern = Uint16Array.from({ length: 0x10000 }, (_, i) => i);

const types = [
  { name: "float16", exponentBits: 5, fractionBits: 10, widen: float32FromFloat16, narrow: float16FromFloat32 },
  { name: "bfloat16", exponentBits: 8, fractionBits: 7, widen: float32FromBfloat16, narrow: bfloat16FromFloat32 },
];

describe.each(types)("$name", ({ exponentBits, fractionBits, widen, narrow }) => {
  const bias = 2 ** (exponentBits - 1) - 1;
  const infinity = (2 ** exponentBits - 1) << fractionBits;

  /** IEEE 754 by its own words: (-1)^s 2^(e - bias) (1 + f), or 2^(1 - bias) f where e = 0. */
  function meaning(raw: number): number {
    const sign = raw & 0x8000 ? -1 : 1;
    const exponent = (raw & 0x7fff) >> fractionBits;
    const fraction = (raw & (2 ** fractionBits - 1)) / 2 ** fractionBits;
    if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (exponent === 0 ? 2 ** (1 - bias) * fraction : 2 ** (exponent - bias) * (1 + fraction));
  }
  const narrowOne = (value: number) => narrow(new Float32Array([value]))[0]!;

  test("all 65,536 patterns widen to the number that IEEE 754 gives them", () => {
    const wide = widen(everyPattern);
    const wrong = everyPattern.filter((raw) => !Object.is(wide[raw], meaning(raw)));
    expect([...wrong]).toEqual([]);
  });

  test("all 65,536 patterns come back from float32 bit for bit, NaN payloads too", () => {
    expect(narrow(widen(everyPattern))).toEqual(everyPattern);
  });

  test("a number narrows to its nearest neighbour, and to the even one where both are as near", () => {
    const check = (value: number) => {
      const magnitude = Math.abs(value);
      const got = narrowOne(value);
      expect(got >> 15).toBe(Object.is(Math.sign(value), -0) || value < 0 ? 1 : 0);
      const near = got & 0x7fff;
      // infinity stands where the next number of the same spacing would be
      const place = (raw: number) => (raw === infinity ? 2 ** (bias + 1) : meaning(raw));
      const distance = Math.abs(place(near) - Math.min(magnitude, 2 ** (bias + 1)));
      for (const other of [near - 1, near + 1]) {
        if (other < 0 || other > infinity) continue;
        const otherDistance = Math.abs(place(other) - Math.min(magnitude, 2 ** (bias + 1)));
        expect(distance).toBeLessThanOrEqual(otherDistance);
        if (distance === otherDistance) expect(near % 2).toBe(0);
      }
    };
    fc.assert(fc.property(fc.float({ noNaN: true }), check), { numRuns: 2000 });
    // exact midpoints and their float32 neighbours, which random floats hardly ever meet
    const midpoint = fc.integer({ min: 0, max: infinity - 2 }).map((raw) => (meaning(raw) + meaning(raw + 1)) / 2);
    const nudged = fc.tuple(midpoint, fc.constantFrom(-1, 0, 1)).map(([value, step]) => nudge(value, step));
    fc.assert(fc.property(nudged, check), { numRuns: 5000 });
  });

  test("every NaN stays a NaN of the same sign", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7fffff }), fc.boolean(), (payload, negative) => {
        const raw = narrow(
          new Float32Array(new Uint32Array([(negative ? 0xff800000 : 0x7f800000) | payload]).buffer),
        )[0]!;
        expect(meaning(raw)).toBeNaN();
        expect(raw >> 15).toBe(negative ? 1 : 0);
      }),
    );
  });

  test("what exceeds the range becomes infinity, and a view into a larger buffer is read at its place", () => {
    const greatest = meaning(infinity - 1);
    const spacing = greatest - meaning(infinity - 2);
    expect(narrowOne(greatest + spacing / 2)).toBe(infinity);
    expect(narrowOne(-Infinity)).toBe(0x8000 | infinity);
    expect(narrowOne(nudge(greatest + spacing / 2, -1))).toBe(infinity - 1);
    expect([...narrow(new Float32Array([7, 1, 7]).subarray(1, 2))]).toEqual([bias << fractionBits]);
  });
});

/** The float32 that lies `step` bit patterns further from zero. */
function nudge(value: number, step: number): number {
  const float = new Float32Array([value]);
  const bits = new Int32Array(float.buffer);
  bits[0] = Math.max(0, bits[0]! + step);
  return float[0]!;
}
