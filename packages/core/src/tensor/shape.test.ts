import fc from "fast-check";
import { expect, test } from "vitest";
import { axisOf, broadcast, type Dim, elements, lengthUnder, plus, sameShape, termsOf, times } from "./shape.ts";

const symbolNames = ["batch", "tokens", "rank"];
const integer = fc.integer({ min: -9, max: 9 });

/** A polynomial together with the order in which it was put together. */
const dim: fc.Arbitrary<Dim> = fc
  .array(fc.tuple(integer, fc.array(fc.constantFrom(...symbolNames), { maxLength: 3 })), { maxLength: 4 })
  .map((monomials) =>
    monomials.reduce<Dim>((sum, [coefficient, symbols]) => plus(sum, symbols.reduce<Dim>(times, coefficient)), 0),
  );
const values = fc.tuple(integer, integer, integer).map((v) => new Map(symbolNames.map((name, i) => [name, v[i]!])));

test("plus and times make a ring: equal lengths are equal strings, however they came about", () => {
  fc.assert(
    fc.property(dim, dim, dim, (a, b, c) => {
      expect(plus(a, b)).toBe(plus(b, a));
      expect(times(a, b)).toBe(times(b, a));
      expect(plus(plus(a, b), c)).toBe(plus(a, plus(b, c)));
      expect(times(times(a, b), c)).toBe(times(a, times(b, c)));
      expect(times(a, plus(b, c))).toBe(plus(times(a, b), times(a, c)));
      expect(plus(a, 0)).toBe(a);
      expect(times(a, 1)).toBe(a);
      expect(times(a, 0)).toBe(0);
      expect(plus(a, times(-1, a))).toBe(0);
    }),
  );
});

test("evaluating comes to the same before and after plus and times", () => {
  fc.assert(
    fc.property(dim, dim, values, (a, b, symbols) => {
      const [x, y] = [lengthUnder(a, symbols)!, lengthUnder(b, symbols)!];
      expect(lengthUnder(plus(a, b), symbols)).toBe(x + y);
      expect(lengthUnder(times(a, b), symbols)).toBe(x * y + 0); // -0 + 0 is 0: integers have one zero
    }),
  );
});

test("two lengths that agree under all values are the same string", () => {
  // polynomials of degree <= 3 in each of three symbols that agree on a 4 × 4 × 4 grid are equal
  const grid = [0, 1, 2, 3].flatMap((x) => [0, 1, 2, 3].flatMap((y) => [0, 1, 2, 3].map((z) => [x, y, z])));
  const points = grid.map((point) => new Map(symbolNames.map((name, i) => [name, point[i]!])));
  fc.assert(
    fc.property(dim, dim, (a, b) => {
      const agree = points.every((symbols) => lengthUnder(a, symbols)! === lengthUnder(b, symbols)!);
      expect(a === b).toBe(agree);
    }),
  );
});

test("a length's terms add up to it, and a length without symbols is a number", () => {
  fc.assert(
    fc.property(dim, (a) => {
      const again = termsOf(a).reduce<Dim>(
        (sum, { coefficient, symbols }) => plus(sum, symbols.reduce<Dim>(times, coefficient)),
        0,
      );
      expect(again).toBe(a);
      expect(typeof a === "number").toBe(termsOf(a).every(({ symbols }) => symbols.length === 0));
    }),
  );
});

test("lengths print as they are documented", () => {
  expect(plus("tokens", 8)).toBe("tokens+8");
  expect(plus("tokens", -1)).toBe("tokens+-1");
  expect(times("tokens", "batch")).toBe("batch*tokens");
  expect(times(plus("tokens", 8), "batch")).toBe("8*batch+batch*tokens");
  expect(plus(plus("tokens", 8), -8)).toBe("tokens");
});

test("a length has no value where one of its symbols has none", () => {
  expect(lengthUnder(plus("batch", "tokens"), new Map([["batch", 2]]))).toBeUndefined();
  expect(lengthUnder(7, new Map())).toBe(7);
});

test("a shape's elements are the product of its lengths, 1 for a scalar", () => {
  expect(elements([])).toBe(1);
  fc.assert(
    fc.property(fc.array(dim, { maxLength: 4 }), values, (shape, symbols) => {
      const product = shape.reduce<number>((all, length) => all * lengthUnder(length, symbols)!, 1);
      expect(lengthUnder(elements(shape), symbols)).toBe(product + 0);
    }),
  );
});

test("broadcasting is commutative, associative where it is defined, and a scalar changes nothing", () => {
  const shape = fc.array(fc.constantFrom<Dim>(1, 1, 3, "batch"), { maxLength: 4 });
  fc.assert(
    fc.property(shape, shape, shape, (a, b, c) => {
      expect(broadcast(a, b)).toEqual(broadcast(b, a));
      expect(broadcast(a, [])).toEqual(a);
      expect(broadcast(a, a)).toEqual(a);
      const [ab, bc] = [broadcast(a, b), broadcast(b, c)];
      if (ab && bc) expect(broadcast(ab, c)).toEqual(broadcast(a, bc));
    }),
  );
  expect(broadcast([2, 1, 3], [4, 1])).toEqual([2, 4, 3]);
  expect(broadcast([2], [3])).toBeUndefined();
  expect(broadcast(["batch"], ["tokens"])).toBeUndefined();
});

test("shapes are the same when their lengths are; axes count from either end", () => {
  expect(sameShape(["batch", 2], ["batch", 2])).toBe(true);
  expect(sameShape(["batch", 2], ["batch"])).toBe(false);
  expect(sameShape(["batch", 2], ["batch", 3])).toBe(false);
  expect([axisOf(-1, 3), axisOf(-3, 3), axisOf(1, 3)]).toEqual([2, 0, 1]);
});
