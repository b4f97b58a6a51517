import { expect, test } from "vitest";
import { overlaps, shareRight } from "./interval.ts";

const answers = (right: number, of: number) => Array.from({ length: of }, (_, row) => row < right);

test("with one seed the interval is Wilson's: 8 of 10 lies between 0.4902 and 0.9433", () => {
  const { share, low, high } = shareRight([answers(8, 10)]);
  expect(share).toBe(0.8);
  expect(low).toBeCloseTo(0.4902, 4); // the digits that published tables of the interval give
  expect(high).toBeCloseTo(0.9433, 4);
});

test("none and all right stay within 0 and 1, with an interval that is not empty", () => {
  expect(shareRight([answers(0, 20)])).toMatchObject({ low: 0, share: 0 });
  expect(shareRight([answers(0, 20)]).high).toBeGreaterThan(0.1);
  expect(shareRight([answers(20, 20)]).high).toBeCloseTo(1, 12);
  expect(shareRight([answers(20, 20)]).low).toBeLessThan(0.9);
});

test("seeds that repeat the same answers tell nothing new: the interval stays as wide as with one", () => {
  const { low, high } = shareRight([answers(8, 10)]);
  const again = shareRight([answers(8, 10), answers(8, 10), answers(8, 10)]);
  expect(again.low).toBeCloseTo(low, 12);
  expect(again.high).toBeCloseTo(high, 12);
});

test("seeds that err on different rows make it narrower, seeds of different quality wider", () => {
  const width = ({ low, high }: { readonly low: number; readonly high: number }) => high - low;
  const one = width(shareRight([answers(50, 100)]));
  const opposite = answers(50, 100).map((right) => !right);
  expect(width(shareRight([answers(50, 100), opposite]))).toBeLessThan(one);
  expect(width(shareRight([answers(30, 100), answers(70, 100)]))).toBeGreaterThan(one);
});

test("pairs are counted once, and those whose intervals are apart are left out", () => {
  const shares = [10, 12, 90].map((right) => shareRight([answers(right, 100)]));
  expect(overlaps(shares)).toEqual({ overlapping: 1, pairs: 3 });
});
