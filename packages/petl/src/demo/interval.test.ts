import { expect, test } from "vitest";
import { overlaps, shareOf } from "./interval.ts";

test("the interval is Wilson's: 8 of 10 lies between 0.4902 and 0.9433", () => {
  const { share, low, high } = shareOf(8, 10);
  expect(share).toBe(0.8);
  expect(low).toBeCloseTo(0.4902, 4); // the digits that published tables of the interval give
  expect(high).toBeCloseTo(0.9433, 4);
});

test("none and all right stay within 0 and 1, with an interval that is not empty", () => {
  expect(shareOf(0, 20)).toMatchObject({ low: 0, share: 0 });
  expect(shareOf(0, 20).high).toBeGreaterThan(0.1);
  expect(shareOf(20, 20).high).toBeCloseTo(1, 12);
  expect(shareOf(20, 20).low).toBeLessThan(0.9);
});

test("pairs are counted once, and those whose intervals are apart are left out", () => {
  expect(overlaps([shareOf(10, 100), shareOf(12, 100), shareOf(90, 100)])).toEqual({ overlapping: 1, pairs: 3 });
});
