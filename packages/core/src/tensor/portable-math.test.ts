import fc from "fast-check";
import { expect, test } from "vitest";
import { cosineOfTurn, exponential, logarithm, sineOfTurn } from "./portable-math.ts";

// V8's Math functions are within 1 ulp (2e-16 near 1), so 2e-15 leaves room for both and for their rounding
const tolerance = 2e-15;

test("logarithm is ln", () => {
  const positive = fc.oneof(
    fc.integer({ min: 1, max: 100 }),
    fc.maxSafeNat().filter((n) => n > 0),
    fc.tuple(fc.integer({ min: 0, max: 52 }), fc.constantFrom(-1, 0, 1)).map(([e, d]) => Math.max(1, 2 ** e + d)),
  );
  fc.assert(
    fc.property(positive, (n) => Math.abs(logarithm(n) - Math.log(n)) <= tolerance * Math.max(1, Math.log(n))),
    { numRuns: 2000 },
  );
  expect(logarithm(1)).toBe(0);
});

test("exponential is e^x down to where numbers end", () => {
  const negative = fc.oneof(
    fc.double({ min: -745, max: 0, noNaN: true }),
    fc.integer({ min: 0, max: 260_000 }).map((n) => (-n * Math.LN2) / 512), // where the nearest step changes
  );
  const smallest = 2 ** -1022; // below it numbers have fewer bits
  fc.assert(
    fc.property(negative, (x) => Math.abs(exponential(x) - Math.exp(x)) <= tolerance * Math.max(Math.exp(x), smallest)),
    { numRuns: 5000 },
  );
  expect([0, -0, -746, Number.NEGATIVE_INFINITY, Number.NaN].map(exponential)).toEqual([1, 1, 0, 0, Number.NaN]);
});

test("cosineOfTurn and sineOfTurn are the circle's coordinates", () => {
  const edge = fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: -2, max: 2 }));
  const turn = fc.oneof(
    fc.integer({ min: 0, max: 0xffffffff }),
    edge.map(([eighth, step]) => (eighth * 0x20000000 + step) >>> 0),
  );
  fc.assert(
    fc.property(turn, (t) => {
      const angle = (t / 2 ** 32) * 2 * Math.PI;
      return (
        Math.abs(cosineOfTurn(t) - Math.cos(angle)) <= tolerance &&
        Math.abs(sineOfTurn(t) - Math.sin(angle)) <= tolerance
      );
    }),
    { numRuns: 2000 },
  );
  expect([cosineOfTurn(0), cosineOfTurn(2 ** 31), sineOfTurn(2 ** 30)]).toEqual([1, -1, 1]);
});
