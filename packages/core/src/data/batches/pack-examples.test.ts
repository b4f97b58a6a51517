import fc from "fast-check";
import { expect, test } from "vitest";
import type { EncodedExample } from "../rows/encode.ts";
import { nextTokens } from "../rows/next-tokens.ts";
import { packExamples } from "./pack-examples.ts";

const example = (ids: readonly number[]): EncodedExample => {
  const inputIds = Int32Array.from(ids);
  return { inputIds, target: nextTokens({ inputIds }) };
};
const examples = fc.array(fc.array(fc.nat(99), { minLength: 1, maxLength: 12 }).map(example), { maxLength: 30 });

/** The examples of a row, cut where its documents end. */
function unpacked({ inputIds, documents, target }: EncodedExample): readonly EncodedExample[] {
  const numbers = [...new Set(documents)];
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  return numbers.map((number) => {
    const own = (values: Int32Array) => values.filter((_, token) => documents?.[token] === number);
    return {
      inputIds: own(inputIds),
      target: { kind: "tokens", ids: own(target?.kind === "tokens" ? target.ids : inputIds) },
    };
  });
}
test("packed rows hold every example once, whole and with its labels, and no row is longer than the room or an example", () => {
  fc.assert(
    fc.property(examples, fc.integer({ min: 1, max: 20 }), (given, room) => {
      const rows = packExamples(given, room);
      const found = rows.flatMap(unpacked).map((row) => JSON.stringify(row));
      expect([...found].sort()).toEqual(given.map((row) => JSON.stringify(row)).sort());
      for (const { inputIds, documents } of rows) if (inputIds.length > room) expect(new Set(documents).size).toBe(1);
    }),
  );
});

test("no two rows would have had room for one another's examples", () => {
  fc.assert(
    fc.property(examples, (given) => {
      const [shortest = 99, next = 99] = packExamples(given, 12)
        .map(({ inputIds }) => inputIds.length)
        .sort((a, b) => a - b);
      expect(shortest + next).toBeGreaterThan(12);
    }),
  );
});

test("rows come in the order of their first examples, however they are filled", () => {
  const rows = packExamples([[1], [2, 2, 2], [3, 3], [4]].map(example), 4);
  expect(rows.map(({ inputIds }) => [...inputIds])).toEqual([
    [1, 2, 2, 2],
    [3, 3, 4],
  ]);
  expect(rows.map(({ documents }) => [...(documents ?? [])])).toEqual([
    [1, 2, 2, 2],
    [1, 1, 2],
  ]);
});

test("examples that hide tokens are refused", () => {
  const hiding = { ...example([1, 2]), attentionMask: Int32Array.of(0, 1) };
  expect(() => packExamples([example([1]), hiding], 9)).toThrow(
    "row 2 hides some of its tokens by its attention_mask; such rows can't be packed",
  );
});
