import fc from "fast-check";
import { expect, test } from "vitest";
import { InternalError } from "../errors.ts";
import { type Random, random } from "./random.ts";

const take = (count: number, draw: () => number) => Array.from({ length: count }, draw);
const words = (stream: Random) => take(8, stream.uint32);

// fixed keys make each statistical test below one fixed computation: it passes always or never
const million = 1_000_000;

test("the same seed, purpose and step give the same numbers; any other gives others", () => {
  const key = fc.tuple(fc.maxSafeNat(), fc.string({ maxLength: 12 }), fc.integer({ min: 0, max: 0xffffffff }));
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(words(random(...a))).toEqual(words(random(...a)));
      if (a.join("\0") !== b.join("\0")) expect(words(random(...a))).not.toEqual(words(random(...b)));
    }),
  );
  const near: [number, string, number][] = [
    [1, "dropout", 0],
    [1, "dropout", 1],
    [2 ** 32 + 1, "dropout", 0],
    [0, "dropout", 0],
    [1, "dropouT", 0],
    [1, "dropout\0", 0],
    [1, "", 0],
    [1, "\0", 0],
    [1, "\0\0\0\0", 0],
  ];
  expect(new Set(near.map((k) => words(random(...k)).join())).size).toBe(near.length);
});

test("a stream's numbers are fixed for good: saved runs resume on any later version and host", () => {
  const stream = random(42, "dropout", 3);
  expect(take(5, stream.uint32)).toEqual([649671208, 2250235771, 4267970511, 1305666438, 3059702441]);
  expect(take(3, random(42, "init").normal)).toEqual([-1.206356788626738, 1.0812932029145508, 0.757647040354897]);
  expect(random(7, "order").shuffle([0, 1, 2, 3, 4, 5, 6, 7])).toEqual([5, 4, 7, 2, 3, 6, 0, 1]);
});

test("uniform() is flat on [0, 1): 256 equal bins hold equal shares", () => {
  const { uniform } = random(1, "flat");
  const bins = new Map<number, number>();
  for (let i = 0; i < million; i++) {
    const bin = Math.floor(uniform() * 256);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  expect([...bins.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 256 }, (_, i) => i));
  // chi-square with 255 degrees of freedom: mean 255, standard deviation 22.6; four of those
  expect(Math.abs(chiSquare(bins.values(), million / 256) - 255)).toBeLessThan(4 * 22.6);
});

test("normal() has the moments and the tails of the standard normal distribution, without serial correlation", () => {
  const { normal } = random(1, "bell");
  const sums = [0, 0, 0, 0];
  let [beyondTwo, product, previous] = [0, 0, 0];
  for (let i = 0; i < million; i++) {
    const z = normal();
    for (let power = 0; power < 4; power++) sums[power]! += z ** (power + 1);
    if (Math.abs(z) > 2) beyondTwo++;
    product += z * previous;
    previous = z;
  }
  const [mean, variance, skew, kurtosis] = sums.map((sum) => sum / million);
  // each bound is five standard errors: sqrt(var(z^k) / 1e6), var = 1, 2, 15, 96, 0.0434, 1
  expect(Math.abs(mean!)).toBeLessThan(5 * 1e-3);
  expect(Math.abs(variance! - 1)).toBeLessThan(5 * 1.41e-3);
  expect(Math.abs(skew!)).toBeLessThan(5 * 3.87e-3);
  expect(Math.abs(kurtosis! - 3)).toBeLessThan(5 * 9.8e-3);
  expect(Math.abs(beyondTwo / million - 0.0455)).toBeLessThan(5 * 2.08e-4);
  expect(Math.abs(product / million)).toBeLessThan(5 * 1e-3);
});

test("integer(n) lies below n and favours none, also where n does not divide 2^32", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, n) => {
      const i = random(seed, "integer").integer(n);
      return Number.isInteger(i) && i >= 0 && i < n;
    }),
  );
  const { integer } = random(1, "die");
  const faces = new Float64Array(7);
  for (let i = 0; i < 70_000; i++) faces[integer(7)]! += 1;
  expect(chiSquare(faces, 10_000)).toBeLessThan(22.5); // the 99.9 % point for 6 degrees of freedom
  // below 3·2^30, word % n without redrawing would put half of all draws, not a third, under 2^30
  let low = 0;
  for (let i = 0; i < 10_000; i++) if (integer(3 * 2 ** 30) < 2 ** 30) low++;
  expect(Math.abs(low / 10_000 - 1 / 3)).toBeLessThan(5 * 0.0047); // five standard errors
});

test("shuffle gives a permutation, leaves its argument alone, and makes all orders equally often", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
      const before = [...items];
      const after = random(seed, "order").shuffle(items);
      expect(items).toEqual(before);
      expect(after.toSorted((a, b) => a - b)).toEqual(before.toSorted((a, b) => a - b));
    }),
  );
  const stream = random(1, "orders");
  const seen = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const order = stream.shuffle("abcd".split("")).join("");
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  expect(seen.size).toBe(24);
  expect(chiSquare([...seen.values()], 1000)).toBeLessThan(49.7); // the 99.9 % point for 23 degrees of freedom
});

test("fillUniform fills [low, high) flatly and fillNormal gives what normal() gives", () => {
  const unit = new Float32Array(million);
  random(3, "fill").fillUniform(unit, 0, 1);
  expect(unit.every((u) => u >= 0 && u < 1)).toBe(true);
  const wide = new Float32Array(10_000);
  random(3, "fill").fillUniform(wide, -2, 6);
  expect(wide).toEqual(unit.slice(0, 10_000).map((u) => -2 + 8 * u));
  // standard error of the mean of U(0, 1): 1 / sqrt(12e6); five of them
  expect(Math.abs(unit.reduce((sum, u) => sum + u, 0) / million - 0.5)).toBeLessThan(5 * 2.89e-4);

  const { normal } = random(3, "bell");
  const filled = new Float32Array(1001);
  random(3, "bell").fillNormal(filled, 0.5, 0.02);
  expect(filled).toEqual(Float32Array.from({ length: 1001 }, () => 0.5 + 0.02 * normal()));
});

test("impossible keys and bounds are refused", () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) expect(() => random(seed, "x")).toThrow(InternalError);
  for (const step of [-1, 0.5, 2 ** 32]) expect(() => random(0, "x", step)).toThrow(InternalError);
  for (const n of [0, -1, 1.5, 2 ** 32 + 1]) expect(() => random(0, "x").integer(n)).toThrow(InternalError);
});

function chiSquare(counts: Iterable<number>, expected: number): number {
  let sum = 0;
  for (const count of counts) sum += (count - expected) ** 2 / expected;
  return sum;
}

test("an order of places is what shuffling them gives", () => {
  const places = Array.from({ length: 300 }, (_, place) => place);
  expect([...random(3, "order").order(300)]).toEqual(random(3, "order").shuffle(places));
});
