import fc from "fast-check";
import { expect, test } from "vitest";
import { upToWord } from "./text-hash.ts";

test("bytes are filled up to the next word, however many there are", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), (bytes) => {
      expect(upToWord(bytes) % 4).toBe(0);
      expect(upToWord(bytes) - bytes).toBeGreaterThanOrEqual(0);
      expect(upToWord(bytes) - bytes).toBeLessThan(4);
    }),
  );
});
