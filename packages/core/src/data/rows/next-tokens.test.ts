import fc from "fast-check";
import { expect, test } from "vitest";
import { nextTokens } from "./next-tokens.ts";

const row = fc
  .array(fc.nat(50), { minLength: 1, maxLength: 8 })
  .chain((ids) =>
    fc.array(fc.constantFrom(0, 1), { minLength: ids.length, maxLength: ids.length }).map((mask) => ({ ids, mask })),
  );

test("a row without labels asks each token for the one behind it, but for none that its mask leaves out", () => {
  fc.assert(
    fc.property(row, ({ ids, mask }) => {
      const target = nextTokens({ inputIds: Int32Array.from(ids), attentionMask: Int32Array.from(mask) });
      const wanted = ids.map((_, token) => (mask[token + 1] === 1 ? ids[token + 1] : -100));
      expect(target).toEqual({ kind: "tokens", ids: Int32Array.from(wanted) });
    }),
  );
});

test("labels of a row are asked for one token earlier, and that of the first token never", () => {
  const labels = Int32Array.of(9, -100, 7);
  const target = nextTokens({ inputIds: Int32Array.of(9, 8, 7), labels });
  expect(target).toEqual({ kind: "tokens", ids: Int32Array.of(-100, 7, -100) });
});
