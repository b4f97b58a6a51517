import fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "../../tensor/random.ts";
import { maskTokens } from "./masking.ts";

const masking = { maskId: 4, specialIds: new Set([0, 1, 2, 3]), continuationIds: new Set<number>(), vocabulary: 500 };

test("labels are the hidden tokens, special tokens stay, and everything else is as it was", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 499 }), { minLength: 1 }), fc.nat(), (ids, seed) => {
      const inputIds = Int32Array.from(ids);
      const { inputIds: masked, target } = maskTokens({ inputIds }, masking, random(seed, "test"));
      if (target?.kind !== "tokens") throw new Error("no labels");
      const hidden = [...target.ids.keys()].filter((i) => target.ids[i] !== -100);
      expect(hidden.length > 0).toBe(ids.some((id) => !masking.specialIds.has(id)));
      for (const [i, id] of ids.entries()) {
        if (hidden.includes(i)) {
          expect(target.ids[i]).toBe(id);
          expect(masking.specialIds.has(id)).toBe(false);
        } else expect(masked[i]).toBe(id);
      }
    }),
  );
});

test("about 15 % are hidden, 80 % of them by the mask token and 10 % by another", () => {
  const inputIds = new Int32Array(40_000).fill(77);
  const { inputIds: masked, target } = maskTokens({ inputIds }, masking, random(1, "test"));
  const labels = target?.kind === "tokens" ? target.ids : new Int32Array();
  const hidden = labels.filter((label) => label !== -100).length;
  // four standard deviations of these counts are about 0.7 % and 2 %
  expect(hidden / inputIds.length).toBeCloseTo(0.15, 2);
  expect(Math.abs(masked.filter((id) => id === 4).length / hidden - 0.8)).toBeLessThan(0.02);
  expect(Math.abs(masked.filter((id) => id !== 4 && id !== 77).length / hidden - 0.1)).toBeLessThan(0.02);
});

test("the pieces of a word are hidden together or not at all, and 15 % of the words", () => {
  const continuationIds = new Set(Array.from({ length: 100 }, (_, i) => 400 + i));
  const inputIds = Int32Array.from({ length: 30_000 }, (_, i) => (i % 3 === 0 ? 100 : 400 + (i % 3)));
  const { target } = maskTokens({ inputIds }, { ...masking, continuationIds }, random(2, "test"));
  const labels = target?.kind === "tokens" ? target.ids : new Int32Array();
  let hidden = 0;
  for (let word = 0; word < 10_000; word++) {
    const pieces = labels.subarray(3 * word, 3 * word + 3).filter((label) => label !== -100).length;
    if (pieces % 3 !== 0) throw new Error(`${pieces} of the 3 pieces of word ${word} are hidden`);
    if (pieces > 0) hidden++;
  }
  expect(Math.abs(hidden / 10_000 - 0.15)).toBeLessThan(0.015); // four standard deviations
});

test("a continuation behind a special token begins a word of its own", () => {
  const continuationIds = new Set([9]);
  for (let seed = 0; seed < 20; seed++) {
    const { target } = maskTokens(
      { inputIds: Int32Array.of(2, 9, 3, 9) },
      { ...masking, continuationIds },
      random(seed, "test"),
    );
    const labels = target?.kind === "tokens" ? [...target.ids] : [];
    expect(labels[0]).toBe(-100);
    expect(labels.filter((label) => label === 9).length).toBeGreaterThan(0);
  }
});
