import { expect, test } from "vitest";
import { growingPast } from "../nn/cache.ts";
import type { Sizes } from "../nn/model.ts";
import { heldMemory } from "../runtime/held.ts";
import { random } from "../tensor/random.ts";
import { countingHeld } from "./counting-held.fake.ts";
import { emptyPast, type Past } from "./past.ts";

const sizes: Sizes = {
  layers: 2,
  hidden: 6,
  heads: 3,
  keyValueHeads: 1,
  headSize: 2,
  vocabulary: 9,
  maxTokens: 9,
  trainedTokens: 9,
  padId: 0,
  initializerRange: 1,
};
/** What a row has seen, as numbers that no other token has; 0 where it stands behind others. */
type Seen = readonly number[];

test("rows that grow, are chosen, join and forget have the keys and values that lists of them have", async () => {
  const memory = heldMemory();
  const { engine, open } = countingHeld(memory);
  const draw = random(7, "past");
  let last = 0;
  const grown = async (past: Past, rows: readonly Seen[], more: number): Promise<readonly Seen[]> => {
    const room = Object.values(await past.room(more));
    const tokens = rows.map(() => Array.from({ length: more }, () => ++last));
    for (const [tensor, place] of room.entries()) {
      const numbers = Array.from({ length: more }, (_, token) => tokens.map((row) => row[token]! + tensor / 8));
      memory.numbersOf(place).set(numbers.flat().flatMap((number) => [number, -number]));
    }
    past.grow(more);
    return rows.map((row, at) => [...row, ...tokens[at]!]);
  };
  const found = (past: Past): readonly (readonly Seen[])[] =>
    Object.values(past.tensors()).map((tensor, which) => {
      const [tokens = 0, rows = 0] = tensor.shape;
      const numbers = memory.numbersOf(tensor);
      return Array.from({ length: rows }, (_, row) =>
        Array.from({ length: tokens - growingPast.hidden }, (_token, token) => {
          const at = ((token + growingPast.hidden) * rows + row) * 2;
          expect(numbers[at + 1]! + numbers[at]!).toBe(0);
          return numbers[at]! === 0 ? 0 : numbers[at]! - which / 8;
        }),
      );
    });
  const begun = async () => {
    const past = emptyPast(engine, sizes, 1 + draw.integer(3));
    const rows = await grown(
      past,
      Array.from({ length: past.lies().rows }, () => []),
      1 + draw.integer(4),
    );
    return { past, rows };
  };
  let { past: all, rows: seen } = await begun();
  for (let step = 0; step < 300; step++) {
    const longest = seen[0]?.length ?? 0;
    const act = draw.integer(8);
    if (act === 0 && seen.length < 8) {
      const other = await begun();
      await all.join(other.past);
      const length = Math.max(longest, other.rows[0]?.length ?? 0);
      seen = [...seen, ...other.rows].map((row) => [...Array.from({ length: length - row.length }, () => 0), ...row]);
    } else if (act <= 2) {
      const chosen = Array.from({ length: 1 + draw.integer(4) }, () => draw.integer(seen.length));
      await all.choose(chosen);
      seen = chosen.map((row) => seen[row]!);
    } else if (act === 3 && longest > 1) {
      const front = draw.integer(longest - 1);
      all.forget(front);
      seen = seen.map((row) => row.slice(front));
    } else seen = await grown(all, seen, 1 + draw.integer(2));
    for (const tensor of found(all)) expect(tensor).toEqual(seen);
    expect(open()).toBeLessThanOrEqual(2);
    if ((seen[0]?.length ?? 0) > 12) {
      await all.release();
      expect(open()).toBe(0);
      ({ past: all, rows: seen } = await begun());
    }
  }
  expect(Object.keys(all.tensors()).length).toBe(2 * sizes.layers);
  await all.release();
  await all.release();
  expect(open()).toBe(0);
});

test("what cannot be made room for or copied leaves everything as it was, and nothing held beside it", async () => {
  const { engine, open, failNext } = countingHeld(heldMemory());
  const past = emptyPast(engine, sizes, 2);
  await past.room(2);
  past.grow(2);
  for (const what of ["hold", "copy"] as const) {
    failNext(what);
    await expect(past.choose([1, 0, 0])).rejects.toThrow(`no ${what}`);
    failNext(what);
    await expect(past.room(99)).rejects.toThrow(`no ${what}`);
    expect([open(), past.lies().rows, past.lies().tokens]).toEqual([1, 2, 2]);
  }
  await past.release();
  expect(open()).toBe(0);
});
