import fc from "fast-check";
import { expect, test } from "vitest";
import { withCommas } from "./with-commas.ts";

test("thousands are apart as English writes them", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (count) => withCommas(count) === count.toLocaleString("en-US")));
  expect([0, 999, 1000, 1234567].map(withCommas)).toEqual(["0", "999", "1,000", "1,234,567"]);
});
